#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/object.h"

namespace weft::store {

/// The uids that an object names as its owners (metadata.ownerReferences), as views of its text.
std::vector<std::string_view> owners_of(const api::Object& object);

/// Which objects name an owner, found by its uid without looking at the others.
///
/// Owner: EmbeddedStore. Thread: its loop's.
class Dependents {
 public:
  void add(const api::Object& object);
  void remove(const api::Object& object);
  /// In the order of their keys; empty when there are none.
  const std::set<api::Key>& of(std::string_view uid) const;
  /// So many owners are named.
  std::size_t size() const { return by_owner_.size(); }

 private:
  std::map<std::string, std::set<api::Key>, std::less<>> by_owner_;
};

}  // namespace weft::store

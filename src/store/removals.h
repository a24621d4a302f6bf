#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <utility>

#include "api/object.h"

namespace weft::store {

/// The versions at which objects of one kind were removed, so that an older event that comes after the
/// removal does not bring an object back. It remembers the last 1024 removals; with what a list has shown,
/// more is not needed.
///
/// Owner: the keeper of a copy of the objects. Thread: its owner's.
class Removals {
 public:
  /// A list at `version` is authoritative: what came before it is stale, and removals noted before count no
  /// more, since a server that was restored goes on from a lower version.
  void listed(std::uint64_t version);
  void note(const api::Key& key, std::uint64_t version);
  /// Whether an object of that version is from before the last list, or from before its key was removed.
  bool outdates(const api::Key& key, std::uint64_t version) const;
  std::size_t size() const { return by_key_.size(); }

 private:
  std::uint64_t listed_ = 0;
  std::map<api::Key, std::uint64_t> by_key_;
  std::deque<std::pair<api::Key, std::uint64_t>> in_order_;  ///< as they came; the oldest is forgotten first
};

}  // namespace weft::store

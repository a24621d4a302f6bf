#pragma once

#include <map>
#include <memory>
#include <vector>

#include "control/world.h"

namespace weft::control {

/// Looks at stored objects as `weft apply` looks at a file's, with what proxies would say of them: what
/// reaches the store past the validating webhook must not be silent. Only rules of traffic are looked at;
/// pods and Services of a cluster are its own affair. An object is looked at once, and again when its
/// generation changes.
///
/// Owner: Mirror. Thread: the loop's.
class Judge {
 public:
  /// The faults of all objects of one kind; null for kinds that are not looked at.
  std::shared_ptr<const World::Faults> judge(const api::KindInfo* kind, const World::Objects& objects);

 private:
  struct Seen {
    std::string uid;
    std::uint64_t generation = 0;
    std::vector<api::Problem> problems;
  };
  std::map<const api::KindInfo*, std::map<api::Key, Seen>> seen_;
};

}  // namespace weft::control

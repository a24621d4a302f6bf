#pragma once

#include <optional>
#include <set>
#include <span>
#include <vector>

#include "control/controllers/links.h"

namespace weft::control {

/// What a controller that remembers nothing has still to look at: what has changed since its last run, what
/// that concerns, and what it wanted written then.
///
/// Owner: ControllerManager. Thread: the loop's.
class Attention {
 public:
  /// Of `now`, which `links` stands at, where the controller reads `kinds`; nothing: every object.
  std::optional<Scope> scope(const LinkIndex& links, const ObjectSnapshot& now,
                             std::span<const api::KindInfo* const> kinds) const;
  /// The controller has looked at `snapshot`, and these are not yet as it wants them.
  void looked_at(const ObjectSnapshot& snapshot, std::span<const api::KindInfo* const> kinds,
                 const std::vector<api::Key>& unsettled);
  /// Something other than an object has changed what it says of this one.
  void look_again_at(const api::Key& key) { again_.insert(key); }
  void look_at_everything() { seen_.reset(); }

 private:
  std::optional<ObjectSnapshot> seen_;  ///< of the kinds that it reads: others must not stay in memory for it
  std::set<api::Key> again_;
};

}  // namespace weft::control

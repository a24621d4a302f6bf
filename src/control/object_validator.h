#pragma once

#include <map>
#include <memory>
#include <vector>

#include "control/object_snapshot.h"

namespace weft::control {

/// Looks at stored objects as `weft apply` looks at a file's, with what proxies would say of them: what
/// reaches the store past the validating webhook must not be silent. Only rules of traffic are looked at;
/// pods and Services of a cluster are its own affair. An object is looked at when it comes, and again when
/// its generation changes.
///
/// Owner: ObjectCache. Thread: the loop's.
class ObjectValidator {
 public:
  /// `after` stands in the place of `before` now; null: one that is absent.
  void note(const api::ObjectPtr& before, const api::ObjectPtr& after);
  /// The faults of all objects of one kind: the same map as long as they are. Null for kinds that are not
  /// looked at.
  std::shared_ptr<const ObjectSnapshot::Faults> faults(const api::KindInfo* kind);

 private:
  struct OfKind {
    ObjectSnapshot::Faults now;
    std::shared_ptr<const ObjectSnapshot::Faults> told;  ///< null: `now` has changed since
  };
  std::map<const api::KindInfo*, OfKind> kinds_;
};

}  // namespace weft::control

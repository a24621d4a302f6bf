#pragma once

#include <optional>
#include <span>

#include "control/controllers/plan.h"
#include "control/translation/translate.h"

namespace weft::control {

/// What one run of a plan sees: the snapshot, what is made of it, and which objects it is to look at.
///
/// Owner: the plan. Must not outlive its snapshot and context.
class View {
 public:
  View(const ObjectSnapshot& snapshot, PlanContext& context) : snapshot_(snapshot), context_(context) {}

  /// Calls `look` for each object of `kind` in the scope; those for which it adds to the plan are unsettled.
  template <class Look>
  void each(const api::KindInfo* kind, Plan& plan, const Look& look) {
    for (const api::ObjectPtr& object : in_scope(kind)) {
      const std::size_t before = plan.size();
      look(object);
      if (plan.size() != before) context_.unsettled.push_back(object->key());
    }
  }
  std::span<const api::ObjectPtr> in_scope(const api::KindInfo* kind) const;
  const LinkIndex& links();
  const PushContext& push();

 private:
  const ObjectSnapshot& snapshot_;
  PlanContext& context_;
  std::optional<LinkIndex> links_;
  std::optional<PushContext> push_;
};

}  // namespace weft::control

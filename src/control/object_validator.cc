#include "control/object_validator.h"

#include <algorithm>

#include "api/admit.h"
#include "control/translation/object_check.h"

namespace weft::control {
namespace {

bool is_looked_at(const api::KindInfo* kind) {
  static const api::KindInfo* const rules[] = {
      kinds::ingress(),       kinds::gateway(),     kinds::virtual_service(), kinds::destination_rule(),
      kinds::gateway_class(), kinds::api_gateway(), kinds::http_route(),      kinds::reference_grant()};
  return std::ranges::find(rules, kind) != std::end(rules);
}

}  // namespace

void ObjectValidator::note(const api::ObjectPtr& before, const api::ObjectPtr& after) {
  const api::Object& either = after ? *after : *before;
  if (!is_looked_at(either.kind)) return;
  // A store that counts no generations is asked again each time.
  if (before && after && before->uid() == after->uid() && after->generation() != 0 &&
      before->generation() == after->generation())
    return;
  OfKind& of_kind = kinds_[either.kind];
  std::vector<api::Problem> problems;
  if (after) problems = api::problems_of(*after, check_object);
  if (problems.empty()) {
    if (!of_kind.now.empty() && of_kind.now.erase(either.key()) > 0) of_kind.told = nullptr;
    return;
  }
  of_kind.now.insert_or_assign(either.key(), std::move(problems));
  of_kind.told = nullptr;
}

std::shared_ptr<const ObjectSnapshot::Faults> ObjectValidator::faults(const api::KindInfo* kind) {
  if (!is_looked_at(kind)) return nullptr;
  OfKind& of_kind = kinds_[kind];
  if (!of_kind.told) of_kind.told = std::make_shared<const ObjectSnapshot::Faults>(of_kind.now);
  return of_kind.told;
}

}  // namespace weft::control

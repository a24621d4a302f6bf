#include "control/judge.h"

#include <algorithm>

#include "api/admit.h"
#include "control/translation/object_check.h"

namespace weft::control {
namespace {

bool is_looked_at(const api::KindInfo* kind) {
  const api::KindInfo* rules[] = {
      kinds::ingress(),       kinds::gateway(),     kinds::virtual_service(), kinds::destination_rule(),
      kinds::gateway_class(), kinds::api_gateway(), kinds::http_route(),      kinds::reference_grant()};
  return std::ranges::find(rules, kind) != std::end(rules);
}

}  // namespace

std::shared_ptr<const World::Faults> Judge::judge(const api::KindInfo* kind, const World::Objects& objects) {
  if (!is_looked_at(kind)) return nullptr;
  std::map<api::Key, Seen> now;
  World::Faults faults;
  for (const auto& object : objects) {
    api::Key key = object->key();
    auto before = seen_[kind].find(key);
    // A store that counts no generations is asked anew each time.
    const bool known = before != seen_[kind].end() && before->second.uid == object->uid() &&
                       object->generation() != 0 && before->second.generation == object->generation();
    Seen seen = known ? std::move(before->second)
                      : Seen{std::string(object->uid()), object->generation(),
                             api::problems_of(*object, check_object)};
    if (!seen.problems.empty()) faults.emplace(key, seen.problems);
    now.emplace(std::move(key), std::move(seen));
  }
  seen_[kind] = std::move(now);
  return std::make_shared<const World::Faults>(std::move(faults));
}

}  // namespace weft::control

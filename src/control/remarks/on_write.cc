#include "control/remarks/on_write.h"

#include <algorithm>

namespace weft::control {
namespace {

constexpr std::size_t kMostRules = 1000;

bool is_rule(const api::KindInfo* kind) {
  return kind == kinds::virtual_service() || kind == kinds::destination_rule() || kind == kinds::gateway();
}

/// `before` with `object` in the place of the one of its key, or as a new one.
World with(const World& before, const api::ObjectPtr& object) {
  std::map<const api::KindInfo*, std::shared_ptr<const World::Objects>> lists;
  for (const api::KindInfo* kind : kinds::watched()) {
    const auto all = before.all(kind);
    lists[kind] = std::make_shared<const World::Objects>(all.begin(), all.end());
  }
  World::Objects of_kind = *lists[object->kind];
  const auto key = [](const api::ObjectPtr& each) { return std::pair(each->ns(), each->name()); };
  const auto place = std::ranges::lower_bound(of_kind, key(object), {}, key);
  if (place != of_kind.end() && key(*place) == key(object))
    *place = object;
  else
    of_kind.insert(place, object);
  lists[object->kind] = std::make_shared<const World::Objects>(std::move(of_kind));
  return {before.generation(), std::move(lists)};
}

template <class Rule>
Remarks remarks_on_one(const std::vector<Rule>& rules, const api::ObjectPtr& object, const Scene& scene) {
  const auto found = std::ranges::find(rules, object, &Rule::object);
  return found == rules.end() ? Remarks() : remarks_on(*found, scene);
}

}  // namespace

Remarks remarks_on_write(const Inputs& before, const api::ObjectPtr& object, Ground ground) {
  const std::size_t count = before.rules.virtual_services().size() + before.rules.destination_rules().size();
  if (!is_rule(object->kind) || count > kMostRules) return {};
  const World world = with(*before.world, object);
  const Rules rules(world, before.registry);
  const Scene scene(world, before.registry, rules, ground);
  if (object->kind == kinds::virtual_service())
    return remarks_on_one(rules.virtual_services(), object, scene);
  if (object->kind == kinds::destination_rule())
    return remarks_on_one(rules.destination_rules(), object, scene);
  return remarks_on_gateway(*object, scene);
}

}  // namespace weft::control

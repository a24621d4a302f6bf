#include "control/remarks/on_write.h"

#include <algorithm>

namespace weft::control {
namespace {

constexpr std::size_t kMaxRules = 1000;

bool is_rule(const api::KindInfo* kind) {
  return kind == kinds::virtual_service() || kind == kinds::destination_rule() || kind == kinds::gateway();
}

/// As old as the one that it replaces; what is new is the youngest (older() in translation/rules.h).
api::ObjectPtr as_stored(const ObjectSnapshot& before, const api::ObjectPtr& object) {
  const api::ObjectPtr present = before.find(object->key());
  if (!present) return object;
  auto made = std::make_shared<api::Object>(*object);
  made->body["metadata"]["creationTimestamp"] = std::string(present->created());
  return made;
}

template <class Rule>
Remarks remarks_on_one(SharedList<Rule> rules, const api::ObjectPtr& object, const Scene& scene) {
  for (const Rule& rule : rules)
    if (rule.object == object) return remarks_on(rule, scene);
  return {};
}

}  // namespace

Remarks remarks_on_write(const PushContext& before, const api::ObjectPtr& written, Ground ground) {
  const std::size_t count = before.rules.virtual_services().size() + before.rules.destination_rules().size();
  if (!is_rule(written->kind) || count > kMaxRules) return {};
  const api::ObjectPtr object = as_stored(*before.snapshot, written);
  const ObjectSnapshot snapshot = before.snapshot->with(object);
  const Rules rules(snapshot, before.registry, *before.snapshot, before.registry, before.rules);
  const Scene scene(snapshot, before.registry, rules, ground);
  if (object->kind == kinds::virtual_service())
    return remarks_on_one(rules.virtual_services(), object, scene);
  if (object->kind == kinds::destination_rule())
    return remarks_on_one(rules.destination_rules(), object, scene);
  return remarks_on(*snapshot.typed().find<api::istio::Gateway>(object->ns(), object->name()), scene);
}

}  // namespace weft::control

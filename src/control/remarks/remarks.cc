#include "control/remarks/remarks.h"

#include <algorithm>
#include <ranges>

#include "base/strings.h"
#include "control/translation/parts.h"

namespace weft::control {
namespace {

constexpr std::size_t kShown = 6;
constexpr std::size_t kShownFaults = 10;
// Up to here a look at every rule costs less than an index of them all.

void put(std::map<api::Key, Remarks>& into, const api::Object& object, Remarks remarks) {
  if (!remarks.empty()) into[object.key()] = std::move(remarks);
}

}  // namespace

Scene::Scene(const ObjectSnapshot& from, const Registry& services, const Rules& made, Ground where)
    : snapshot(from), registry(services), rules(made), ground(where) {}

std::vector<const VirtualService*> Scene::mesh_rules(const std::string& host) const {
  return rules.mesh_rules_naming(host);
}

std::vector<const DestinationRule*> Scene::destination_rules(std::string_view ns,
                                                             const std::string& host) const {
  std::vector<const DestinationRule*> found = rules.destination_rules_naming(host);
  std::erase_if(found, [&](const DestinationRule* rule) { return rule->object->ns() != ns; });
  return found;
}

/// Those of the namespace that is meant; where the namespace has none of that sort, the same name elsewhere.
std::string Scene::services_like(std::string_view host, std::string_view ns) const {
  auto parts = split(host, '.');
  std::string_view name = parts[0], space = parts.size() > 1 ? parts[1] : ns;
  std::vector<std::string> here, elsewhere;
  for (const Service& service : registry.services()) {
    if (service.ns == space) here.push_back(service.name);
    if (service.name == name && service.ns != space) elsewhere.push_back(service.name + "." + service.ns);
  }
  if (!elsewhere.empty()) return "; there is " + some_of(elsewhere);
  return instead_of(name, here);
}

std::string item(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

std::string some_of(const std::vector<std::string>& names) {
  std::vector<std::string> shown(names.begin(),
                                 names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kShown)));
  std::string text = join(shown, ", ");
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return text;
}

std::string instead_of(std::string_view word, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  std::vector<std::string_view> candidates(names.begin(), names.end());
  std::string_view near = nearest(word, candidates);
  if (!near.empty()) return "; did you mean " + std::string(near) + "?";
  return (names.size() == 1 ? "; there is " : "; there are ") + some_of(names);
}

void add_faults(Remarks& remarks, const api::Object& object, const Scene& scene) {
  for (const api::Problem& fault : scene.snapshot.faults(object) | std::views::take(kShownFaults))
    remarks.push_back({Remark::Kind::kUnsupported, fault.field, fault.text});
}

std::string_view to_string(Remark::Kind kind) {
  switch (kind) {
    case Remark::Kind::kUnsupported: return "Unsupported";
    case Remark::Kind::kWaits: return "Waiting";
    case Remark::Kind::kNoEffect: return "NoEffect";
  }
  return "NoEffect";
}

std::map<api::Key, Remarks> all_remarks(const PushContext& push, Ground ground) {
  return remarks_on_those(push, ground, [](const api::Object&) { return true; });
}

std::map<api::Key, Remarks> remarks_on_those(const PushContext& push, Ground ground,
                                             const std::function<bool(const api::Object&)>& wanted) {
  const Scene scene(push, ground);
  std::map<api::Key, Remarks> all;
  const auto add = [&](const auto& list) {
    for (const auto& each : list)
      if (wanted(*each.object)) put(all, *each.object, remarks_on(each, scene));
  };
  add(push.rules.virtual_services());
  add(push.rules.destination_rules());
  add(push.gateway_api.gateways());
  add(push.gateway_api.routes());
  add(push.snapshot->typed().all<api::istio::Gateway>());
  add(push.snapshot->typed().all<api::networking::Ingress>());
  using On = Remarks (*)(const api::Object&, const Scene&);
  const std::pair<const api::KindInfo*, On> plain[] = {{kinds::service(), remarks_on_service},
                                                       {kinds::pod(), remarks_on_workload},
                                                       {kinds::replica_set(), remarks_on_workload},
                                                       {kinds::deployment(), remarks_on_workload}};
  for (const auto& [kind, on] : plain)
    for (const auto& object : push.snapshot->all(kind))
      if (wanted(*object)) put(all, *object, on(*object, scene));
  for (const api::KindInfo* kind : {kinds::gateway_class(), kinds::reference_grant()})
    for (const auto& object : push.snapshot->all(kind)) {
      if (!wanted(*object)) continue;
      Remarks faults;
      add_faults(faults, *object, scene);
      put(all, *object, std::move(faults));
    }
  return all;
}

api::Json remarks_json(const std::map<api::Key, Remarks>& remarks) {
  api::Json list = api::Json::array();
  for (const auto& [key, of_object] : remarks)
    for (const Remark& each : of_object)
      list.push_back({{"kind", std::string(key.kind->kind)},
                      {"group", std::string(key.kind->group)},
                      {"namespace", key.ns},
                      {"name", key.name},
                      {"remark", std::string(to_string(each.kind))},
                      {"field", each.field},
                      {"message", each.text}});
  return {{"remarks", std::move(list)}};
}

}  // namespace weft::control

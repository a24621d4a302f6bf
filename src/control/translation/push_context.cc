#include "control/translation/push_context.h"

#include <map>
#include <tuple>

#include "control/service_endpoints.h"

namespace weft::control {
namespace {

/// Whether nothing of what GatewayApi reads differs.
bool same_gateway_api(const ObjectSnapshot& before, const ObjectSnapshot& after) {
  for (const api::KindInfo* kind : {kinds::api_gateway(), kinds::gateway_class(), kinds::http_route(),
                                    kinds::reference_grant(), kinds::name_space()})
    if (!before.shares(kind, after)) return false;
  return true;
}

void add_pattern(const std::string& host, Names& hosts, bool& any) {
  if (host.starts_with('*')) any = true;
  hosts.push_back(host);
}

/// A rule whose object alone is another means what it meant.
template <class Rule, class Changed>
void compare_rules(const MadeOf<Rule>& olds, const MadeOf<Rule>& news, const Changed& changed) {
  const auto by_name = [](const Rule& a, const Rule& b) { return precedes(*a.object, *b.object); };
  std::vector<std::shared_ptr<const Rule>> differing;
  for_each_difference<Rule>(olds, news, by_name, [&](const auto& rule) { differing.push_back(rule); });
  std::map<std::uint64_t, int> times;
  for (const auto& rule : differing) ++times[rule->meaning];
  for (const auto& rule : differing)
    if (times[rule->meaning] == 1) changed(*rule);
}

}  // namespace

/// It refers to the snapshot and the registry that it was read from.
struct PushContext::GatewayReading {
  GatewayReading(ObjectSnapshotPtr from, const Registry& services)
      : snapshot(std::move(from)), registry(services), api(*snapshot, registry) {}
  const ObjectSnapshotPtr snapshot;
  const Registry registry;
  const GatewayApi api;
};

PushContext::PushContext(ObjectSnapshotPtr from, std::uint64_t number)
    : snapshot(std::move(from)),
      generation(number),
      registry(*snapshot),
      rules(*snapshot, registry),
      gateway_reading(std::make_shared<const GatewayReading>(snapshot, registry)),
      gateway_api(gateway_reading->api) {}

PushContext::PushContext(ObjectSnapshotPtr from, std::uint64_t number, const PushContext& before)
    : snapshot(std::move(from)),
      generation(number),
      registry(*snapshot, *before.snapshot, before.registry),
      rules(*snapshot, registry, *before.snapshot, before.registry, before.rules),
      gateway_reading(same_gateway_api(*before.snapshot, *snapshot) && registry.same_services(before.registry)
                          ? before.gateway_reading
                          : std::make_shared<const GatewayReading>(snapshot, registry)),
      gateway_api(gateway_reading->api) {}

Changes changes_between(const PushContext& before, const PushContext& after) {
  Changes found;
  for_each_difference<Service>(before.registry.services().pointers(), after.registry.services().pointers(),
                               Service::by_name,
                               [&](const auto& service) { found.services.push_back(service->host); });
  for_each_difference<ServiceEndpoints>(
      before.registry.all_endpoints(), after.registry.all_endpoints(),
      [](const auto& a, const auto& b) { return a.host < b.host; },
      [&](const auto& endpoints) { found.endpoints.push_back(endpoints->host); });
  bool any_gateway_rule = false;
  compare_rules(before.rules.virtual_services_by_name(), after.rules.virtual_services_by_name(),
                [&](const VirtualService& rule) {
                  const bool in_mesh = rule.applies_to(kMesh);
                  if (!in_mesh || rule.gateways.size() > 1) any_gateway_rule = true;
                  if (in_mesh)
                    for (const std::string& host : rule.hosts)
                      add_pattern(host, found.rules, found.any_rule_host);
                });
  compare_rules(before.rules.destination_rules_by_name(), after.rules.destination_rules_by_name(),
                [&](const DestinationRule& rule) {
                  add_pattern(rule.host, found.destinations, found.any_destination_host);
                });
  for (Names* names : {&found.services, &found.endpoints, &found.rules, &found.destinations})
    sort_names(*names);
  found.gateways = any_gateway_rule || !found.services.empty() || &before.gateway_api != &after.gateway_api;
  for (const api::KindInfo* kind : {kinds::gateway(), kinds::ingress(), kinds::ingress_class()})
    found.gateways = found.gateways || !before.snapshot->shares(kind, *after.snapshot);
  return found;
}

}  // namespace weft::control

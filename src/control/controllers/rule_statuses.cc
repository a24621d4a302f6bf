#include <set>

#include "base/strings.h"
#include "control/controllers/plan.h"
#include "control/json.h"
#include "control/translation/parts.h"
#include "control/translation/route_builder.h"
#include "control/translation/rules.h"

namespace weft::control {
namespace {

/// What one object waits for, each once, in a fixed order.
using Waits = std::set<std::string>;

void check_destination(Waits& waits, const api::Json& destination, std::string_view ns,
                       const Registry& registry, const Rules& rules) {
  std::string host = registry.resolve_destination(json::text(destination, "host"), ns);
  const Service* service = registry.find(host);
  if (!service) {
    waits.insert("waits for host " + host + ": there is no such service");
    return;
  }
  std::int64_t port = json::number(json::map(destination, "port"), "number");
  if (port != 0 && !service->find_port(static_cast<std::uint16_t>(port)))
    waits.insert("waits for port " + std::to_string(port) + " of host " + host);
  std::string_view subset = json::text(destination, "subset");
  if (subset.empty()) return;
  for (const Subset& known : rules.destination(host, ns).subsets)
    if (known.name == subset) return;
  waits.insert("waits for subset " + std::string(subset) + " of host " + host +
               ": no DestinationRule defines it");
}

Waits waits_of_virtual_service(const World& world, const VirtualService& rule, const Registry& registry,
                               const Rules& rules) {
  Waits waits;
  const api::Object& object = *rule.object;
  for (std::string_view list : {"http", "tcp"})
    for (const auto& entry : json::list(object.spec(), list))
      for (const auto& to : json::list(entry, "route"))
        check_destination(waits, json::map(to, "destination"), object.ns(), registry, rules);
  for (const std::string& gateway : rule.gateways) {
    if (gateway == kMesh) continue;
    auto slash = gateway.find('/');
    api::Key key{kinds::gateway(), gateway.substr(0, slash), gateway.substr(slash + 1)};
    if (!world.find(key)) waits.insert("waits for gateway " + gateway + ": there is none of that name");
  }
  return waits;
}

Waits waits_of_destination_rule(const api::Object& object, const Registry& registry) {
  std::string host = registry.resolve(json::text(object.spec(), "host"), object.ns());
  if (host.starts_with('*') || registry.find(host)) return {};
  return {"waits for host " + host + ": there is no such service"};
}

Waits waits_of_ingress(const api::Object& object, const Registry& registry) {
  Waits waits;
  auto check = [&](const api::Json& backend) {
    if (backend.empty()) return;
    Backend found = ingress_backend(registry, backend, object.ns());
    if (found.port == 0)
      waits.insert("waits for backend " + found.host + ": there is no such service and port");
  };
  check(json::map(object.spec(), "defaultBackend"));
  for (const auto& rule : json::list(object.spec(), "rules"))
    for (const auto& path : json::list(json::map(rule, "http"), "paths")) check(json::map(path, "backend"));
  return waits;
}

api::Json message_of(const std::string& text, std::string_view level) {
  return {{"type",
           {{"code", level == "ERROR" ? "IST0106" : "IST0101"},
            {"name", level == "ERROR" ? "Refused" : "ReferencedResourceNotFound"}}},
          {"level", std::string(level)},
          {"message", text}};
}

/// An object of which nothing needs saying, and never was, keeps its empty status: no write for the common
/// case.
void set_rule_status(Plan& plan, const api::Object& object, const Waits& waits, const PlanContext& context) {
  auto refused = context.refusals.find(object.key());
  bool is_refused = refused != context.refusals.end();
  if (waits.empty() && !is_refused && object.status().empty()) return;
  std::string all = join(std::vector<std::string>(waits.begin(), waits.end()), "; ");
  const api::Json& before = json::list(object.status(), "conditions");
  api::Json status = object.status();
  if (!status.is_object()) status = api::Json::object();
  api::Json conditions = api::Json::array(
      {make_condition({"Resolved", waits.empty() ? "True" : "False", waits.empty() ? "AllFound" : "Waiting",
                       waits.empty() ? "everything it names is there" : all},
                      before, context.now)});
  api::Json messages = api::Json::array();
  for (const std::string& wait : waits) messages.push_back(message_of(wait, "WARNING"));
  if (is_refused) {
    conditions.push_back(
        make_condition({"Applied", "False", "Refused", refused->second}, before, context.now));
    messages.push_back(message_of(refused->second, "ERROR"));
  }
  status["conditions"] = std::move(conditions);
  status["validationMessages"] = std::move(messages);
  if (status["validationMessages"].empty()) status.erase("validationMessages");
  set_status(plan, object, std::move(status));
}

}  // namespace

Plan plan_rule_statuses(const World& world, PlanContext& context) {
  Plan plan;
  Registry registry(world);
  Rules rules(world, registry);
  for (const VirtualService& rule : rules.virtual_services())
    set_rule_status(plan, *rule.object, waits_of_virtual_service(world, rule, registry, rules), context);
  for (const auto& object : world.all(kinds::destination_rule()))
    set_rule_status(plan, *object, waits_of_destination_rule(*object, registry), context);
  for (const auto& object : world.all(kinds::gateway())) set_rule_status(plan, *object, {}, context);
  return plan;
}

Plan plan_ingresses(const World& world, PlanContext& context) {
  Plan plan;
  Registry registry(world);
  for (const auto& object : world.all(kinds::ingress())) {
    if (!is_our_ingress(world, *object)) continue;
    api::ObjectPtr gateway = world.find({kinds::service(), "istio-system", "istio-ingressgateway"});
    api::Json balancer = gateway ? json::map(gateway->status(), "loadBalancer") : api::Json::object();
    if (json::list(balancer, "ingress").empty())
      balancer = {{"ingress", api::Json::array({{{"ip", "127.0.0.1"}}})}};
    api::Object changed = *object;
    changed.body["status"]["loadBalancer"] = std::move(balancer);
    Plan waiting;
    set_rule_status(waiting, changed, waits_of_ingress(*object, registry), context);
    api::Json status = waiting.empty() ? changed.status() : waiting.front().object.status();
    set_status(plan, *object, std::move(status));
  }
  return plan;
}

}  // namespace weft::control

#include <algorithm>
#include <set>

#include "control/controllers/gateway_parts.h"
#include "control/controllers/view.h"
#include "control/json.h"

namespace weft::control {
namespace {

/// Where clients find a Gateway; `found` is bad while they do not.
struct Addresses {
  api::Json list = api::Json::array();
  Finding found{true, "Programmed", "its listeners are served"};
};

api::Json address(const char* type, std::string_view value) {
  return {{"type", type}, {"value", std::string(value)}};
}

void add_balancer_addresses(api::Json& into, const api::Object& service) {
  for (const auto& entry : json::list(json::map(service.status(), "loadBalancer"), "ingress")) {
    if (std::string_view ip = json::text(entry, "ip"); !ip.empty()) into.push_back(address("IPAddress", ip));
    if (std::string_view name = json::text(entry, "hostname"); !name.empty())
      into.push_back(address("Hostname", name));
  }
  for (const auto& ip : json::list(service.spec(), "externalIPs"))
    if (ip.is_string()) into.push_back(address("IPAddress", ip.get_ref<const std::string&>()));
}

std::vector<api::ObjectPtr> ready_pods(const LinkIndex& links, const api::Object& service) {
  Labels selector = labels_from(json::map(service.spec(), "selector"));
  std::vector<api::ObjectPtr> pods;
  if (selector.empty()) return pods;
  const auto& [key, value] = *selector.begin();
  for (const auto& pod : links.found(topic(About::kPodsLabelled, service.ns(), key, value)))
    if (pod->kind == kinds::pod() && pod->ns() == service.ns() && is_ready(*pod) && !is_terminating(*pod) &&
        has_labels(*pod, selector))
      pods.push_back(pod);
  return pods;
}

/// By the kind of Service: its load balancer's addresses, those of the nodes that its pods run on, or its
/// name.
Addresses service_addresses(const LinkIndex& links, const api::Object& service) {
  Addresses made;
  std::string name = std::string(service.ns()) + "/" + std::string(service.name());
  auto pods = ready_pods(links, service);
  if (pods.empty()) made.found = {false, "Pending", "no pod behind Service " + name + " is ready"};
  std::string_view type = json::text(service.spec(), "type");
  if (type == "LoadBalancer") {
    add_balancer_addresses(made.list, service);
    if (made.list.empty())
      made.found = {false, "AddressNotAssigned",
                    "Service " + name +
                        " is a LoadBalancer and has no address yet; where no load balancers are, "
                        "annotation networking.istio.io/service-type: NodePort or ClusterIP does without"};
  } else if (type == "NodePort") {
    std::set<std::string> nodes;
    for (const auto& pod : pods) nodes.emplace(json::text(pod->status(), "hostIP"));
    nodes.erase("");
    for (const std::string& node : nodes) made.list.push_back(address("IPAddress", node));
  } else {
    made.list.push_back(address("Hostname", full_host(service.name(), service.ns())));
  }
  return made;
}

Addresses addresses_of(const ObjectSnapshot& snapshot, View& view, const ApiGateway& gateway) {
  const Registry& registry = view.push().registry;
  std::string host = address_service(registry, gateway);
  api::Key key{kinds::service(), std::string(gateway.object->ns()),
               parts_name(*gateway.object, *gateway.spec)};
  if (!host.empty()) {
    const Service* named = registry.find(host);
    if (!named) return {api::Json::array(), {false, "AddressNotUsable", "there is no Service " + host}};
    key = {kinds::service(), named->ns, named->name};
  }
  api::ObjectPtr service = snapshot.find(key);
  if (!service) return {api::Json::array(), {false, "Pending", "its Service is being made"}};
  return service_addresses(view.links(), *service);
}

/// One machine has one ingress gateway; it is every Gateway, at the address that `weft up` listens on.
Addresses local_addresses(const ObjectSnapshot& snapshot) {
  Addresses made;
  if (api::ObjectPtr service =
          snapshot.find({kinds::service(), std::string(kRootNamespace), std::string(kIngressService)}))
    add_balancer_addresses(made.list, *service);
  if (made.list.empty()) made.list.push_back(address("IPAddress", "127.0.0.1"));
  return made;
}

/// Writes conditions of one object's generation, with the times of those that were there before.
struct ConditionWriter {
  const api::Json& before;
  std::uint64_t generation;
  const std::string& now;
  api::Json made = api::Json::array();

  void add(std::string_view type, bool status, const Finding& finding) {
    api::Json condition =
        make_condition({type, status ? "True" : "False", finding.reason, finding.message}, before, now);
    condition["observedGeneration"] = generation;
    made.push_back(std::move(condition));
  }
  void add(std::string_view type, const Finding& finding) { add(type, finding.good, finding); }
};

const api::Json& find_by(const api::Json& list, std::string_view member, std::string_view value) {
  static const api::Json kNone = api::Json::object();
  for (const auto& each : list)
    if (json::text(each, member) == value) return each;
  return kNone;
}

api::Json listener_status(const ApiListener& listener, const ApiGateway& gateway, bool programmed,
                          const PlanContext& context) {
  const api::Json& old =
      find_by(json::list(gateway.object->status(), "listeners"), "name", listener.spec->name);
  ConditionWriter conditions{json::list(old, "conditions"), gateway.object->generation(), context.now};
  conditions.add("Accepted", listener.accepted);
  conditions.add("Conflicted", !listener.conflict.good, listener.conflict);
  conditions.add("ResolvedRefs", listener.resolved);
  Finding served{true, "Programmed", "it is served"};
  if (!programmed) served = {false, "Pending", "the Gateway is not programmed yet"};
  if (!listener.serves()) served = {false, "Invalid", "see the other conditions"};
  conditions.add("Programmed", served);
  api::Json kinds = api::Json::array();
  if (listener.takes_http_routes && listener.is_http)
    kinds.push_back({{"group", std::string(kGatewayApiGroup)}, {"kind", "HTTPRoute"}});
  return {{"name", listener.spec->name},
          {"supportedKinds", std::move(kinds)},
          {"attachedRoutes", listener.attached.size()},
          {"conditions", std::move(conditions.made)}};
}

Finding acceptance(const ApiGateway& gateway) {
  if (!gateway.valid.good) return gateway.valid;
  auto serving = std::ranges::count_if(gateway.listeners, &ApiListener::serves);
  bool all = serving == static_cast<std::ptrdiff_t>(gateway.listeners.size());
  if (all) return {true, "Accepted", "every listener can be served"};
  return {serving > 0, "ListenersNotValid", "not every listener can be served; see their conditions"};
}

void set_gateway_status(Plan& plan, const ApiGateway& gateway, const Addresses& addresses,
                        const PlanContext& context) {
  const api::Object& object = *gateway.object;
  ConditionWriter conditions{json::list(object.status(), "conditions"), object.generation(), context.now};
  Finding accepted = acceptance(gateway);
  Finding programmed = addresses.found;
  if (auto rejected = context.rejections.find(object.key());
      rejected != context.rejections.end() && programmed.good)
    programmed = {false, "Invalid", rejected->second};
  if (!accepted.good)
    programmed = {false, "Invalid", gateway.valid.good ? "no listener can be served" : gateway.valid.message};
  conditions.add("Accepted", accepted);
  conditions.add("Programmed", programmed);
  api::Json status = api::Json::object();
  if (!addresses.list.empty()) status["addresses"] = addresses.list;
  status["conditions"] = std::move(conditions.made);
  api::Json listeners = api::Json::array();
  for (const ApiListener& listener : gateway.listeners)
    listeners.push_back(listener_status(listener, gateway, programmed.good, context));
  status["listeners"] = std::move(listeners);
  set_status(plan, object, std::move(status));
}

/// The Gateway API wants the message to begin so.
std::string dropped_rules(const ApiRoute& route) {
  std::string text = "Dropped Rule:";
  for (const auto& [index, rule] : route.dropped)
    text += (text.ends_with(':') ? " " : "; ") + rule.why +
            (rule.matches ? " (its requests get 500)" : " (no request is its own)");
  return text;
}

/// Not among the conditions that the Gateway API has; those of an implementation's own have its domain.
constexpr std::string_view kApplied = "weft.dev/Applied";

/// Other controllers' entries stay as they are.
void set_route_status(Plan& plan, const ApiRoute& route, const PlanContext& context) {
  const api::Json& before = json::list(route.object->status(), "parents");
  const auto rejected = context.rejections.find(route.object->key());
  api::Json parents = api::Json::array();
  for (const auto& entry : before)
    if (json::text(entry, "controllerName") != kGatewayController) parents.push_back(entry);
  for (const ApiParent& parent : route.parents) {
    const api::Json* old = nullptr;
    for (const auto& entry : before)
      if (json::text(entry, "controllerName") == kGatewayController &&
          api::gateway_api::read_parent(json::map(entry, "parentRef"), parent.reference->where) ==
              *parent.reference)
        old = &json::list(entry, "conditions");
    static const api::Json kNone = api::Json::array();
    ConditionWriter conditions{old ? *old : kNone, route.object->generation(), context.now};
    conditions.add("Accepted", parent.accepted);
    conditions.add("ResolvedRefs", route.resolved);
    if (parent.accepted.good && !route.dropped.empty())
      conditions.add("PartiallyInvalid", true, {true, "UnsupportedValue", dropped_rules(route)});
    if (rejected != context.rejections.end()) conditions.add(kApplied, {false, "Rejected", rejected->second});
    parents.push_back({{"parentRef", to_json(*parent.reference)},
                       {"controllerName", std::string(kGatewayController)},
                       {"conditions", std::move(conditions.made)}});
  }
  if (parents.empty() && before.empty()) return;
  set_status(plan, *route.object, {{"parents", std::move(parents)}});
}

/// By the names of the Gateway API's conformance profiles, in their order; docs/gateway-api.md says the same
/// in fields.
api::Json supported_features() {
  api::Json made = api::Json::array();
  for (const char* name :
       {"Gateway", "GatewayHTTPListenerIsolation", "GatewayInfrastructurePropagation", "GatewayPort8080",
        "HTTPRoute", "HTTPRouteBackendRequestHeaderModification", "HTTPRouteBackendTimeout",
        "HTTPRouteHostRewrite", "HTTPRouteMethodMatching", "HTTPRouteParentRefPort", "HTTPRoutePathRedirect",
        "HTTPRoutePathRewrite", "HTTPRoutePortRedirect", "HTTPRouteQueryParamMatching",
        "HTTPRouteRequestTimeout", "HTTPRouteResponseHeaderModification", "HTTPRouteSchemeRedirect",
        "ReferenceGrant"})
    made.push_back({{"name", name}});
  return made;
}

void plan_classes(Plan& plan, const ObjectSnapshot& snapshot, View& view, const PlanContext& context) {
  if (!snapshot.find({kinds::gateway_class(), "", std::string(kGatewayClass)})) {
    api::Object made;
    made.kind = kinds::gateway_class();
    made.body = {
        {"apiVersion", made.kind->api_version()},
        {"kind", "GatewayClass"},
        {"metadata", {{"name", std::string(kGatewayClass)}}},
        {"spec",
         {{"controllerName", std::string(kGatewayController)}, {"description", "Gateways of this mesh"}}}};
    plan.push_back({Change::Kind::kCreate, std::move(made)});
  }
  view.each(kinds::gateway_class(), plan, [&](const api::ObjectPtr& object) {
    if (!is_our_class(snapshot, object->name())) return;
    ConditionWriter conditions{json::list(object->status(), "conditions"), object->generation(), context.now};
    Finding accepted{true, "Accepted", "Gateways of this class are served"};
    if (auto faults = snapshot.faults(*object); !faults.empty())
      accepted = {false, "InvalidParameters", faults.front().to_string()};
    conditions.add("Accepted", accepted);
    set_status(plan, *object,
               {{"conditions", std::move(conditions.made)}, {"supportedFeatures", supported_features()}});
  });
}

void plan_routes(Plan& plan, View& view, const PlanContext& context) {
  view.each(kinds::http_route(), plan, [&](const api::ObjectPtr& object) {
    const auto& routes = view.push().gateway_api.routes();
    const auto route = std::ranges::lower_bound(routes, object, older, &ApiRoute::object);
    if (route != routes.end() && route->object == object) set_route_status(plan, *route, context);
  });
}

/// Calls `look` for the Gateways of our classes that are in scope.
template <class Look>
void each_gateway(Plan& plan, View& view, const Look& look) {
  const auto before = [](const api::ObjectPtr& a, const api::ObjectPtr& b) { return precedes(*a, *b); };
  view.each(kinds::api_gateway(), plan, [&](const api::ObjectPtr& object) {
    const auto& gateways = view.push().gateway_api.gateways();
    const auto gateway = std::ranges::lower_bound(gateways, object, before, &ApiGateway::object);
    if (gateway != gateways.end() && gateway->object == object) look(*gateway);
  });
}

}  // namespace

Plan plan_local_gateways(const ObjectSnapshot& snapshot, PlanContext& context) {
  Plan plan;
  View view(snapshot, context);
  plan_classes(plan, snapshot, view, context);
  each_gateway(plan, view, [&](const ApiGateway& gateway) {
    set_gateway_status(plan, gateway, local_addresses(snapshot), context);
  });
  plan_routes(plan, view, context);
  return plan;
}

Plan plan_cluster_gateways(const ObjectSnapshot& snapshot, PlanContext& context) {
  Plan plan;
  View view(snapshot, context);
  const inject::Settings settings = context.injection ? *context.injection : inject::Settings();
  plan_classes(plan, snapshot, view, context);
  each_gateway(plan, view, [&](const ApiGateway& gateway) {
    if (is_terminating(*gateway.object)) return;
    Addresses addresses;
    bool automated = gateway.spec->addresses.empty();
    Finding parts{true, "", ""};
    if (automated && acceptance(gateway).good) parts = plan_parts(plan, snapshot, gateway, settings);
    if (parts.good) {
      addresses = addresses_of(snapshot, view, gateway);
    } else {
      addresses.found = std::move(parts);
    }
    set_gateway_status(plan, gateway, addresses, context);
  });
  plan_routes(plan, view, context);
  return plan;
}

}  // namespace weft::control

#include "control/translation/gateway_api.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "api/selector.h"
#include "base/strings.h"
#include "control/json.h"
#include "control/translation/rules.h"
#include "control/translation/translate.h"

namespace weft::control {
namespace {

// The words that guides show.
Finding accepted() { return {true, "Accepted", "Route was valid"}; }
Finding resolved() { return {true, "ResolvedRefs", "All references resolved"}; }

bool is_service(const api::Json& reference) {
  std::string_view kind = json::text(reference, "kind");
  return json::text(reference, "group").empty() && (kind.empty() || kind == "Service");
}

bool is_gateway(const api::Json& parent) {
  std::string_view group = json::text(parent, "group"), kind = json::text(parent, "kind");
  return (!parent.contains("group") || group == kGatewayApiGroup) && (kind.empty() || kind == "Gateway");
}

std::string namespace_of(const api::Json& reference, std::string_view otherwise) {
  std::string_view written = json::text(reference, "namespace");
  return std::string(written.empty() ? otherwise : written);
}

/// Which kinds of route the listener lets in: HTTPRoute is the only one that we serve.
void read_kinds(ApiListener& listener, const api::Json& allowed) {
  listener.resolved = resolved();
  const api::Json& kinds = json::list(allowed, "kinds");
  if (kinds.empty()) return;
  listener.takes_http_routes = false;
  for (const auto& each : kinds) {
    std::string_view group = json::text(each, "group");
    bool ours =
        (!each.contains("group") || group == kGatewayApiGroup) && json::text(each, "kind") == "HTTPRoute";
    if (ours) {
      listener.takes_http_routes = true;
    } else {
      listener.resolved = {
          false, "InvalidRouteKinds",
          std::string(json::text(each, "kind")) + " is no kind of route that is served here"};
    }
  }
}

ApiListener read_listener(const api::Json& from) {
  ApiListener made;
  made.name = json::text(from, "name");
  made.host = to_lower(json::text(from, "hostname"));
  if (made.host.empty()) made.host = "*";
  made.port = static_cast<std::uint16_t>(json::number(from, "port"));
  made.accepted = {true, "Accepted", "it can be served"};
  made.conflict = {true, "NoConflicts", "no other listener is in its way"};
  std::string_view protocol = json::text(from, "protocol");
  made.is_http = protocol == "HTTP";
  if (!made.is_http)
    made.accepted = {false, "UnsupportedProtocol",
                     std::string(protocol) + " is not served here yet; write HTTP"};
  if (is_proxys_own(made.port))
    made.accepted = {false, "PortUnavailable", "port " + std::to_string(made.port) + " is the proxy's own"};
  const api::Json& allowed = json::map(from, "allowedRoutes");
  made.allowed = &json::map(allowed, "namespaces");
  read_kinds(made, allowed);
  return made;
}

/// Which item of the list at `list` ("spec.rules") a fault is in; nothing when it is elsewhere.
std::optional<std::size_t> item_of(const api::Problem& fault, std::string_view list) {
  std::string_view rest = fault.field;
  if (!rest.starts_with(list) || rest.size() <= list.size() || rest[list.size()] != '[') return std::nullopt;
  rest.remove_prefix(list.size() + 1);
  std::size_t index = 0;
  auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), index);
  if (error != std::errc() || end == rest.data() + rest.size() || *end != ']') return std::nullopt;
  return index;
}

/// "spec.rules[0].retry: retry is not supported by weft yet; ..."
std::string shown(const api::Problem& fault) { return fault.to_string(); }

/// What is wrong with the Gateway itself. The reasons are those of the Gateway API's
/// GatewayConditionAccepted.
Finding fault_of_gateway(const api::Problem& fault) {
  std::string_view reason = "Invalid";
  if (fault.field.starts_with("spec.infrastructure.parametersRef")) reason = "InvalidParameters";
  if (fault.field.starts_with("spec.addresses")) reason = "UnsupportedAddress";
  return {false, reason, shown(fault)};
}

/// Sorts a route's faults by the rules that they are in.
void find_faults(ApiRoute& route, std::span<const api::Problem> faults) {
  route.valid = {true, "Accepted", ""};
  for (const api::Problem& fault : faults) {
    auto index = item_of(fault, "spec.rules");
    if (!index) {
      if (route.serves) route.valid = {false, "UnsupportedValue", shown(fault)};
      route.serves = false;
      continue;
    }
    ApiDroppedRule& rule = route.dropped.try_emplace(*index, ApiDroppedRule{shown(fault)}).first->second;
    const std::string matches = "spec.rules[" + std::to_string(*index) + "].matches";
    if (fault.field.starts_with(matches)) rule.matches = false;
  }
  const std::size_t rules = json::list(route.object->spec(), "rules").size();
  if (route.valid.good && rules > 0 && route.dropped.size() == rules)
    route.valid = {false, "UnsupportedValue", route.dropped.begin()->second.why};
}

void find_conflicts(std::vector<ApiListener>& listeners) {
  for (ApiListener& one : listeners)
    for (const ApiListener& other : listeners)
      if (&one != &other && one.accepted.good && other.accepted.good && one.port == other.port &&
          one.host == other.host)
        one.conflict = {false, "HostnameConflict",
                        "listener " + other.name + " has the same port and hostname"};
}

/// The narrower of both hosts when one covers the other; empty when they have none in common.
std::string common_host(const std::string& a, const std::string& b) {
  if (host_match(a, b) > 0) return b;
  return host_match(b, a) > 0 ? a : std::string();
}

/// The hosts that the route gets at this listener. One that another listener of the port fits better is that
/// listener's.
std::vector<std::string> common_hosts(const api::Object& route, const ApiListener& listener,
                                      const ApiGateway& gateway) {
  const api::Json& written = json::list(route.spec(), "hostnames");
  std::set<std::string> hosts;
  if (written.empty()) hosts.insert(listener.host);
  for (const auto& host : written)
    if (host.is_string())
      if (auto both = common_host(listener.host, to_lower(host.get_ref<const std::string&>())); !both.empty())
        hosts.insert(both);
  std::erase_if(hosts, [&](const std::string& host) {
    return std::ranges::any_of(gateway.listeners, [&](const ApiListener& other) {
      return other.port == listener.port && other.serves() &&
             host_match(other.host, host) > host_match(listener.host, host);
    });
  });
  return {hosts.begin(), hosts.end()};
}

}  // namespace

bool is_our_class(const World& world, std::string_view name) {
  api::ObjectPtr found = world.find({kinds::gateway_class(), "", std::string(name)});
  return found && json::text(found->spec(), "controllerName") == kGatewayController;
}

std::string address_service(const Registry& registry, const api::Object& gateway) {
  const api::Json& addresses = json::list(gateway.spec(), "addresses");
  return addresses.empty() ? std::string()
                           : registry.resolve(json::text(addresses[0], "value"), gateway.ns());
}

GatewayApi::GatewayApi(const World& world, const Registry& registry) : world_(world), registry_(registry) {
  read_gateways();
  read_routes();
}

void GatewayApi::read_gateways() {
  for (const auto& object : world_.all(kinds::api_gateway())) {
    if (!is_our_class(world_, json::text(object->spec(), "gatewayClassName"))) continue;
    gateways_.push_back(read_gateway(object));
  }
}

ApiGateway GatewayApi::read_gateway(const api::ObjectPtr& object) const {
  ApiGateway made{.object = object, .valid = {true, "Accepted", ""}, .listeners = {}};
  for (const auto& listener : json::list(object->spec(), "listeners"))
    made.listeners.push_back(read_listener(listener));
  for (const api::Problem& fault : world_.faults(*object)) {
    auto index = item_of(fault, "spec.listeners");
    if (index && *index < made.listeners.size()) {
      Finding& accepted = made.listeners[*index].accepted;
      if (accepted.good) accepted = {false, "Invalid", shown(fault)};
    } else if (made.valid.good) {
      made.valid = fault_of_gateway(fault);
    }
  }
  if (json::list(object->spec(), "addresses").size() > 1)
    made.valid = {false, "UnsupportedAddress", "spec.addresses: more than one is not supported by weft yet"};
  auto its_class =
      world_.find({kinds::gateway_class(), "", std::string(json::text(object->spec(), "gatewayClassName"))});
  if (its_class && !world_.faults(*its_class).empty())
    made.valid = {false, "InvalidParameters",
                  "its GatewayClass is not accepted: " + shown(world_.faults(*its_class).front())};
  find_conflicts(made.listeners);
  return made;
}

void GatewayApi::read_routes() {
  std::vector<api::ObjectPtr> objects(world_.all(kinds::http_route()).begin(),
                                      world_.all(kinds::http_route()).end());
  std::ranges::sort(objects, older);
  // Listeners point to routes: these must not move any more.
  routes_.reserve(objects.size());
  for (const auto& object : objects) {
    ApiRoute& route =
        routes_.emplace_back(ApiRoute{.object = object, .parents = {}, .resolved = resolve_all(*object)});
    find_faults(route, world_.faults(*object));
    for (const auto& reference : json::list(object->spec(), "parentRefs")) {
      if (!is_gateway(reference)) {
        route.parents.push_back(
            {&reference, {false, "InvalidKind", "only a Gateway can be its parent here yet"}});
        continue;
      }
      api::Key key{kinds::api_gateway(), namespace_of(reference, object->ns()),
                   std::string(json::text(reference, "name"))};
      auto gateway =
          std::ranges::find_if(gateways_, [&](const ApiGateway& g) { return g.object->key() == key; });
      if (gateway != gateways_.end()) {
        Finding finding = attach(route, reference, *gateway);
        route.parents.push_back({&reference, std::move(finding)});
      } else if (!world_.find(key)) {
        route.parents.push_back(
            {&reference, {false, "NoMatchingParent", "there is no Gateway " + key.ns + "/" + key.name}});
      }
    }
  }
}

bool GatewayApi::admits(const ApiListener& listener, const ApiGateway& gateway, std::string_view ns) const {
  std::string_view from = json::text(*listener.allowed, "from");
  if (from == "All") return true;
  if (from == "None") return false;
  if (from != "Selector") return gateway.object->ns() == ns;
  auto selector = api::LabelSelector::from_json(json::map(*listener.allowed, "selector"));
  api::ObjectPtr found = world_.find({kinds::name_space(), "", std::string(ns)});
  if (!selector || !found) return false;
  auto labels = found->labels();
  labels.try_emplace("kubernetes.io/metadata.name", ns);
  return selector->matches(labels);
}

Finding GatewayApi::attach(const ApiRoute& route, const api::Json& parent, ApiGateway& gateway) {
  std::string_view section = json::text(parent, "sectionName");
  std::int64_t port = json::number(parent, "port");
  Finding result{false, "NoMatchingParent", "the Gateway has no listener with this sectionName and port"};
  bool attached = false;
  for (ApiListener& listener : gateway.listeners) {
    if ((!section.empty() && section != listener.name) || (port != 0 && port != listener.port)) continue;
    if (attached && !listener.serves()) continue;
    if (!listener.serves() || !admits(listener, gateway, route.object->ns())) {
      if (!attached)
        result = {false, "NotAllowedByListeners",
                  "listener " + listener.name + " lets in no HTTPRoute of this namespace"};
      continue;
    }
    auto domains = common_hosts(*route.object, listener, gateway);
    if (domains.empty()) {
      if (!attached)
        result = {false, "NoMatchingListenerHostname", "no hostname of the route fits the listener's"};
      continue;
    }
    result = route.valid.good ? accepted() : route.valid;
    attached = true;
    if (!route.serves) continue;
    bool known = !listener.attached.empty() && listener.attached.back().route == &route;
    if (!known) listener.attached.push_back({&route, std::move(domains)});
  }
  return result;
}

bool GatewayApi::granted(std::string_view from_ns, std::string_view to_ns, std::string_view name) const {
  auto may_come = [&](const api::Json& from) {
    return json::text(from, "group") == kGatewayApiGroup && json::text(from, "kind") == "HTTPRoute" &&
           json::text(from, "namespace") == from_ns;
  };
  auto may_be_used = [&](const api::Json& to) {
    std::string_view only = json::text(to, "name");
    return json::text(to, "group").empty() && json::text(to, "kind") == "Service" &&
           (only.empty() || only == name);
  };
  return std::ranges::any_of(world_.all(kinds::reference_grant()), [&](const api::ObjectPtr& grant) {
    return grant->ns() == to_ns && std::ranges::any_of(json::list(grant->spec(), "from"), may_come) &&
           std::ranges::any_of(json::list(grant->spec(), "to"), may_be_used);
  });
}

ApiBackend GatewayApi::backend(const api::Json& reference, std::string_view ns) const {
  std::string_view name = json::text(reference, "name");
  std::string target_ns = namespace_of(reference, ns);
  ApiBackend made{full_host(name, target_ns), static_cast<std::uint16_t>(json::number(reference, "port")),
                  resolved()};
  std::string shown = target_ns + "/" + std::string(name);
  if (!is_service(reference)) {
    made.found = {false, "InvalidKind", "backend " + shown + " is no Service"};
  } else if (target_ns != ns && !granted(ns, target_ns, name)) {
    made.found = {false, "RefNotPermitted",
                  "no ReferenceGrant in namespace " + target_ns + " lets HTTPRoutes of " + std::string(ns) +
                      " use Service " + std::string(name)};
  } else if (const Service* service = registry_.find(made.host); !service) {
    made.found = {false, "BackendNotFound", "there is no Service " + shown};
  } else if (!service->find_port(made.port)) {
    made.found = {false, "BackendNotFound", "Service " + shown + " has no port " + std::to_string(made.port)};
  }
  return made;
}

Finding GatewayApi::resolve_all(const api::Object& route) const {
  for (const auto& rule : json::list(route.spec(), "rules"))
    for (const auto& reference : json::list(rule, "backendRefs"))
      if (ApiBackend each = backend(reference, route.ns()); !each.found.good) return each.found;
  return resolved();
}

}  // namespace weft::control

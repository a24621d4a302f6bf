#include "control/translation/gateway_api.h"

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "control/translation/rules.h"
#include "control/translation/translate.h"

namespace weft::control {
namespace gateway_api = api::gateway_api;
namespace {

// The words that guides show.
Finding accepted() { return {true, "Accepted", "Route was valid"}; }
Finding resolved() { return {true, "ResolvedRefs", "All references resolved"}; }

bool is_service(const gateway_api::BackendRef& reference) {
  return reference.group.empty() && (reference.kind.empty() || reference.kind == "Service");
}

bool is_gateway(const gateway_api::ParentRef& parent) {
  return parent.group.value_or(std::string(kGatewayApiGroup)) == kGatewayApiGroup &&
         (!parent.kind || parent.kind->empty() || parent.kind == "Gateway");
}

/// Which kinds of route the listener lets in: HTTPRoute is the only one that we serve.
void read_kinds(ApiListener& listener) {
  listener.resolved = resolved();
  if (listener.spec->kinds.empty()) return;
  listener.takes_http_routes = false;
  for (const gateway_api::RouteKind& each : listener.spec->kinds) {
    const bool ours =
        each.group.value_or(std::string(kGatewayApiGroup)) == kGatewayApiGroup && each.kind == "HTTPRoute";
    if (ours)
      listener.takes_http_routes = true;
    else
      listener.resolved = {false, "InvalidRouteKinds",
                           each.kind + " is no kind of route that is served here"};
  }
}

ApiListener read_listener(const gateway_api::Listener& from) {
  ApiListener made;
  made.spec = &from;
  made.accepted = {true, "Accepted", "it can be served"};
  made.conflict = {true, "NoConflicts", "no other listener is in its way"};
  made.is_http = from.protocol == "HTTP";
  if (!made.is_http)
    made.accepted = {false, "UnsupportedProtocol", from.protocol + " is not served here yet; write HTTP"};
  if (is_proxys_own(from.port))
    made.accepted = {false, "PortUnavailable", "port " + std::to_string(from.port) + " is the proxy's own"};
  read_kinds(made);
  return made;
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
  const std::vector<gateway_api::RouteRule>& rules = route.spec->rules;
  for (const api::Problem& fault : faults) {
    if (fault.no_effect) continue;
    const auto rule = std::ranges::find_if(
        rules, [&](const gateway_api::RouteRule& each) { return each.where.covers(fault.field); });
    if (rule == rules.end()) {
      if (route.serves) route.valid = {false, "UnsupportedValue", shown(fault)};
      route.serves = false;
      continue;
    }
    const auto index = static_cast<std::size_t>(rule - rules.begin());
    ApiDroppedRule& dropped = route.dropped.try_emplace(index, ApiDroppedRule{shown(fault)}).first->second;
    if (fault.field.starts_with(rule->where.to_string() + ".matches")) dropped.matches = false;
  }
  if (route.valid.good && !rules.empty() && route.dropped.size() == rules.size())
    route.valid = {false, "UnsupportedValue", route.dropped.begin()->second.why};
}

void find_conflicts(std::vector<ApiListener>& listeners) {
  for (ApiListener& one : listeners)
    for (const ApiListener& other : listeners)
      if (&one != &other && one.accepted.good && other.accepted.good && one.spec->port == other.spec->port &&
          one.spec->host == other.spec->host)
        one.conflict = {false, "HostnameConflict",
                        "listener " + other.spec->name + " has the same port and hostname"};
}

/// The narrower of both hosts when one covers the other; empty when they have none in common.
std::string common_host(const std::string& a, const std::string& b) {
  if (host_match(a, b) > 0) return b;
  return host_match(b, a) > 0 ? a : std::string();
}

/// The hosts that the route gets at this listener. One that another listener of the port fits better is that
/// listener's.
std::vector<std::string> common_hosts(const gateway_api::HttpRoute& route, const ApiListener& listener,
                                      const ApiGateway& gateway) {
  std::set<std::string> hosts;
  if (route.hosts.empty()) hosts.insert(listener.spec->host);
  for (const std::string& host : route.hosts)
    if (auto both = common_host(listener.spec->host, to_lower(host)); !both.empty()) hosts.insert(both);
  std::erase_if(hosts, [&](const std::string& host) {
    return std::ranges::any_of(gateway.listeners, [&](const ApiListener& other) {
      return other.spec->port == listener.spec->port && other.serves() &&
             host_match(other.spec->host, host) > host_match(listener.spec->host, host);
    });
  });
  return {hosts.begin(), hosts.end()};
}

}  // namespace

bool is_our_class(const ObjectSnapshot& snapshot, std::string_view name) {
  const auto* found = snapshot.typed().find<gateway_api::GatewayClass>("", name);
  return found && found->spec->controller == kGatewayController;
}

std::string address_service(const Registry& registry, const ApiGateway& gateway) {
  const std::vector<std::string>& addresses = gateway.spec->addresses;
  return addresses.empty() ? std::string() : registry.resolve(addresses.front(), gateway.object->ns());
}

GatewayApi::GatewayApi(const ObjectSnapshot& snapshot, const Registry& registry)
    : snapshot_(snapshot), registry_(registry) {
  read_gateways();
  read_routes();
}

void GatewayApi::read_gateways() {
  for (const auto& each : snapshot_.typed().all<gateway_api::Gateway>())
    if (is_our_class(snapshot_, each.spec->class_name)) gateways_.push_back(read_gateway(each));
}

ApiGateway GatewayApi::read_gateway(const Typed<gateway_api::Gateway>& from) const {
  ApiGateway made{.object = from.object, .spec = from.spec, .valid = {true, "Accepted", ""}, .listeners = {}};
  for (const gateway_api::Listener& listener : made.spec->listeners)
    made.listeners.push_back(read_listener(listener));
  for (const api::Problem& fault : snapshot_.faults(*from.object)) {
    const auto listener = std::ranges::find_if(
        made.listeners, [&](const ApiListener& each) { return each.spec->where.covers(fault.field); });
    if (listener == made.listeners.end()) {
      if (made.valid.good) made.valid = fault_of_gateway(fault);
    } else if (listener->accepted.good) {
      listener->accepted = {false, "Invalid", shown(fault)};
    }
  }
  if (made.spec->addresses.size() > 1)
    made.valid = {false, "UnsupportedAddress", "spec.addresses: more than one is not supported by weft yet"};
  const auto* its_class = snapshot_.typed().find<gateway_api::GatewayClass>("", made.spec->class_name);
  if (its_class && !snapshot_.faults(*its_class->object).empty())
    made.valid = {false, "InvalidParameters",
                  "its GatewayClass is not accepted: " + shown(snapshot_.faults(*its_class->object).front())};
  find_conflicts(made.listeners);
  return made;
}

void GatewayApi::read_routes() {
  std::vector<const Typed<gateway_api::HttpRoute>*> oldest_first;
  for (const auto& each : snapshot_.typed().all<gateway_api::HttpRoute>()) oldest_first.push_back(&each);
  std::ranges::sort(oldest_first, older, &Typed<gateway_api::HttpRoute>::object);
  // Listeners point to routes: these must not move any more.
  routes_.reserve(oldest_first.size());
  for (const auto* from : oldest_first) {
    ApiRoute& route =
        routes_.emplace_back(ApiRoute{.object = from->object,
                                      .spec = from->spec,
                                      .parents = {},
                                      .resolved = resolve_all(*from->spec, from->object->ns())});
    find_faults(route, snapshot_.faults(*route.object));
    for (const gateway_api::ParentRef& parent : route.spec->parents) read_parent(route, parent);
  }
}

void GatewayApi::read_parent(ApiRoute& route, const gateway_api::ParentRef& parent) {
  if (!is_gateway(parent)) {
    route.parents.push_back({&parent, {false, "InvalidKind", "only a Gateway can be its parent here yet"}});
    return;
  }
  const std::string ns = parent.ns && !parent.ns->empty() ? *parent.ns : std::string(route.object->ns());
  const api::Key key{kinds::api_gateway(), ns, parent.name};
  const auto gateway =
      std::ranges::find_if(gateways_, [&](const ApiGateway& each) { return each.object->key() == key; });
  if (gateway != gateways_.end()) {
    Finding finding = attach(route, parent, *gateway);
    route.parents.push_back({&parent, std::move(finding)});
  } else if (!snapshot_.find(key)) {
    route.parents.push_back(
        {&parent, {false, "NoMatchingParent", "there is no Gateway " + key.ns + "/" + key.name}});
  }
}

bool GatewayApi::admits(const ApiListener& listener, const ApiGateway& gateway, std::string_view ns) const {
  using From = gateway_api::RouteNamespaces::From;
  const gateway_api::RouteNamespaces& allowed = listener.spec->namespaces;
  if (allowed.from == From::kAll) return true;
  if (allowed.from == From::kNone) return false;
  if (allowed.from != From::kSelector) return gateway.object->ns() == ns;
  api::ObjectPtr found = snapshot_.find({kinds::name_space(), "", std::string(ns)});
  if (!allowed.selector || !found) return false;
  auto labels = found->labels();
  labels.try_emplace("kubernetes.io/metadata.name", ns);
  return allowed.selector->matches(labels);
}

Finding GatewayApi::attach(const ApiRoute& route, const gateway_api::ParentRef& parent, ApiGateway& gateway) {
  const std::string section = parent.section.value_or("");
  const std::uint16_t port = parent.port.value_or(0);
  Finding result{false, "NoMatchingParent", "the Gateway has no listener with this sectionName and port"};
  bool attached = false;
  for (ApiListener& listener : gateway.listeners) {
    if ((!section.empty() && section != listener.spec->name) || (port != 0 && port != listener.spec->port))
      continue;
    if (attached && !listener.serves()) continue;
    if (!listener.serves() || !admits(listener, gateway, route.object->ns())) {
      if (!attached)
        result = {false, "NotAllowedByListeners",
                  "listener " + listener.spec->name + " lets in no HTTPRoute of this namespace"};
      continue;
    }
    auto domains = common_hosts(*route.spec, listener, gateway);
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
  const gateway_api::GrantFrom whose{std::string(kGatewayApiGroup), "HTTPRoute", std::string(from_ns)};
  const gateway_api::GrantTo what{"", "Service", std::string(name)};
  return std::ranges::any_of(snapshot_.typed().all<gateway_api::ReferenceGrant>(), [&](const auto& grant) {
    return grant.object->ns() == to_ns && grant.spec->lets(whose, what);
  });
}

ApiBackend GatewayApi::backend(const gateway_api::BackendRef& reference, std::string_view ns) const {
  const std::string& name = reference.name;
  const std::string target_ns = reference.ns.empty() ? std::string(ns) : reference.ns;
  ApiBackend made{full_host(name, target_ns), reference.port, resolved()};
  const std::string shown = target_ns + "/" + name;
  if (!is_service(reference)) {
    made.found = {false, "InvalidKind", "backend " + shown + " is no Service"};
  } else if (target_ns != ns && !granted(ns, target_ns, name)) {
    made.found = {false, "RefNotPermitted",
                  "no ReferenceGrant in namespace " + target_ns + " lets HTTPRoutes of " + std::string(ns) +
                      " use Service " + name};
  } else if (const Service* service = registry_.find(made.host); !service) {
    made.found = {false, "BackendNotFound", "there is no Service " + shown};
  } else if (!service->find_port(made.port)) {
    made.found = {false, "BackendNotFound", "Service " + shown + " has no port " + std::to_string(made.port)};
  }
  return made;
}

Finding GatewayApi::resolve_all(const gateway_api::HttpRoute& route, std::string_view ns) const {
  for (const gateway_api::RouteRule& rule : route.rules)
    for (const gateway_api::BackendRef& reference : rule.backends)
      if (ApiBackend each = backend(reference, ns); !each.found.good) return each.found;
  return resolved();
}

}  // namespace weft::control

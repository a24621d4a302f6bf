#include "control/translation/object_check.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "control/translation/gateway_api_routes.h"
#include "control/translation/messages.h"
#include "control/translation/parts.h"
#include "control/translation/proof.h"
#include "control/translation/route_builder.h"
#include "control/translation/sound_messages.h"

namespace weft::control {
namespace {

constexpr std::uint16_t kAnyPort = 80;
/// Where the route stands in the table that is made for it.
constexpr std::string_view kInTable = "virtual_hosts[0].routes[0].";
constexpr std::string_view kMatch = "match";

using Findings = std::vector<api::Finding>;

std::string words(std::string_view complaint) { return "no proxy accepts it: " + std::string(complaint); }

/// An object and what it refers to, each of another kind, with nothing else in the snapshot. It is not looked
/// at for faults as other snapshots are: this is such a look.
PushContext alone(const std::vector<api::ObjectPtr>& objects) {
  std::map<const api::KindInfo*, std::shared_ptr<const ObjectSnapshot::Objects>> lists;
  for (const api::ObjectPtr& object : objects)
    lists[object->kind] = std::make_shared<const ObjectSnapshot::Objects>(ObjectSnapshot::Objects{object});
  return PushContext(std::make_shared<const ObjectSnapshot>(1, std::move(lists)));
}

api::ObjectPtr made_up(std::string_view version, std::string_view kind, std::string_view name,
                       std::string_view ns, api::Json spec) {
  api::Json body = {{"apiVersion", std::string(version)},
                    {"kind", std::string(kind)},
                    {"metadata", {{"name", std::string(name)}, {"namespace", std::string(ns)}}},
                    {"spec", std::move(spec)}};
  return std::make_shared<const api::Object>(api::Object{api::find_kind(version, kind), std::move(body)});
}

/// Of a route in a table of its own; empty when there is none. It begins with the field in the route.
std::string complaint_about(const route::Route& made) {
  route::RouteConfiguration table;
  set_route_table_options(table, "table");
  auto& host = *table.add_virtual_hosts();
  host.set_name("host");
  host.add_domains("*");
  *host.add_routes() = made;
  const auto complaints = complaints_of(Type::kRoute, serialize(table));
  if (complaints.empty()) return {};
  std::string_view complaint = complaints.front();
  if (complaint.starts_with(kInTable)) complaint.remove_prefix(kInTable.size());
  return std::string(complaint);
}

/// The first complaint about each route, at `rule` or at the match in it.
void check_routes(const std::vector<route::Route>& routes, const std::string& rule, const std::string& match,
                  Findings& findings) {
  for (const route::Route& made : routes) {
    const std::string complaint = complaint_about(made);
    if (complaint.empty()) continue;
    findings.push_back({complaint.starts_with(kMatch) ? match : rule, words(complaint)});
    // The other matches of the rule have the same action.
    if (!complaint.starts_with(kMatch)) return;
  }
}

void check_tcp(const api::istio::TcpRoute& tcp, const VirtualService& rule, const RouteScope& scope,
               Findings& findings) {
  tcp_proxy::TcpProxy to = make_tcp_proxy("tcp");
  set_tcp_route(to, tcp, rule.object->ns(), scope);
  listener::Listener made;
  made.set_name("listener");
  set_address(*made.mutable_address(), "0.0.0.0", kAnyPort);
  add_tcp_filter(*made.add_filter_chains(), to);
  for (const std::string& complaint : complaints_of(Type::kListener, serialize(made)))
    findings.push_back({tcp.where.pointer(), words(complaint)});
}

std::string escaped(std::string_view key) {
  std::string made;
  for (char c : key) made += c == '~' ? std::string("~0") : c == '/' ? std::string("~1") : std::string(1, c);
  return made;
}

/// A change of one header by itself, so that what is found names it.
void check_header(const api::istio::HeaderChanges& change, const std::string& at, const VirtualService& rule,
                  const RouteScope& scope, Findings& findings) {
  api::istio::HttpRoute http;
  http.action = api::istio::DirectResponse();
  http.headers = change;
  route::VirtualHost host;
  const std::string complaint = complaint_about(add_http_route(host, {}, http, *rule.object, scope));
  if (complaint.empty()) return;
  // The path of the field is our own, and the finding's place says it better.
  const auto text = complaint.find(": ");
  findings.push_back({at, words(text == complaint.npos ? complaint : complaint.substr(text + 2))});
}

/// Hosts are no headers to a proxy.
void check_headers(const api::istio::HeaderChanges& headers, const std::string& at,
                   const VirtualService& rule, const RouteScope& scope, Findings& findings) {
  using api::istio::HeaderChanges;
  using api::istio::HeaderOperations;
  for (const auto& [of, operations] :
       {std::pair("request", &HeaderChanges::request), std::pair("response", &HeaderChanges::response)})
    for (const auto& [what, list] :
         {std::pair("set", &HeaderOperations::set), std::pair("add", &HeaderOperations::add)})
      for (const auto& header : headers.*operations.*list) {
        if (header.first == ":authority" || to_lower(header.first) == "host") continue;
        HeaderChanges change;
        (change.*operations.*list).push_back(header);
        check_header(change, at + "/headers/" + of + "/" + what + "/" + escaped(header.first), rule, scope,
                     findings);
      }
}

/// Whether one of the findings is about `rule` as a whole: its other matches would say the same.
bool is_found(const Findings& findings, const std::string& rule) {
  return !findings.empty() && findings.back().at == rule;
}

void check_http(const api::istio::HttpRoute& http, const VirtualService& rule, const RouteScope& scope,
                Findings& findings) {
  const std::string at = http.where.pointer();
  const std::size_t before = findings.size();
  check_headers(http.headers, at, rule, scope, findings);
  for (const api::istio::WeightedDestination& to : http.destinations())
    check_headers(to.headers, to.where.pointer(), rule, scope, findings);
  if (findings.size() != before) return;
  const auto check = [&](const api::istio::RequestMatch& match, const std::string& match_at) {
    route::VirtualHost host;
    check_routes({add_http_route(host, match, http, *rule.object, scope)}, at, match_at, findings);
  };
  if (http.matches.empty()) check({}, at);
  for (const api::istio::HttpMatch& match : http.matches)
    if (!is_found(findings, at)) check(match.request, match.scope.where.pointer());
}

void check_virtual_service(const api::ObjectPtr& object, Findings& findings) {
  const PushContext push = alone({object});
  const ProxyIdentity nobody;
  const RouteScope scope{push, nobody, std::string(kMesh), kAnyPort};
  const VirtualService& rule = push.rules.virtual_services().front();
  for (const api::istio::HttpRoute& http : rule.spec->http) check_http(http, rule, scope, findings);
  for (const api::istio::TcpRoute& tcp : rule.spec->tcp) check_tcp(tcp, rule, scope, findings);
}

void check_http_route(const api::ObjectPtr& object, Findings& findings) {
  const PushContext push = alone({object});
  const ProxyIdentity nobody{ProxyIdentity::Kind::kGateway, "", "", "", {}};
  const RouteScope scope{push, nobody, "gateway", kAnyPort};
  const ApiRoute& from = push.gateway_api.routes().front();
  for (const api::gateway_api::RouteRule& rule : from.spec->rules) {
    const std::string at = rule.where.pointer();
    const auto check = [&](const api::gateway_api::RouteMatch& match, const std::string& match_at) {
      check_routes(api_rule_routes(from, rule, match, scope), at, match_at, findings);
    };
    if (rule.matches.empty()) check({}, at);
    for (const api::gateway_api::RouteMatch& match : rule.matches)
      if (!is_found(findings, at)) check(match, match.where.pointer());
  }
}

void check_resource(Type type, const Resource& resource, const std::string& at, Findings& findings) {
  thread_local SoundMessages sound;
  const std::string& message = resource.message();
  if (sound.contains(type, message)) return;
  const std::vector<std::string> complaints = complaints_of(type, message);
  if (complaints.empty()) sound.add(type, message);
  for (const std::string& complaint : complaints)
    findings.push_back({at, words(std::string(short_name(type)) + " '" + resource.name + "': " + complaint)});
}

/// What proxies say of these, each with its name.
void check_set(const ResourceSet& set, const std::string& at, Findings& findings) {
  for (Type type : kAllTypes)
    for (const ResourcePtr& each : set[type]) check_resource(type, *each, at, findings);
}

/// For kinds of which one field becomes one resource, or nearly so.
void check_all(const PushContext& push, const ProxyIdentity& proxy, const std::string& at,
               Findings& findings) {
  check_set(translate(push, proxy), at, findings);
}

void check_ingress(const api::ObjectPtr& object, Findings& findings) {
  const ProxyIdentity gateway{
      ProxyIdentity::Kind::kGateway, "istio-system", "gateway", "", {{"istio", "ingressgateway"}}};
  check_all(alone({object}), gateway, "/spec/rules", findings);
}

void check_gateway(const api::ObjectPtr& object, Findings& findings) {
  const PushContext push = alone({object});
  const api::istio::Gateway& spec = *push.snapshot->typed().all<api::istio::Gateway>().front().spec;
  for (const api::istio::Server& server : spec.servers)
    if (is_proxys_own(server.port))
      findings.push_back({server.where.pointer() + "/port/number",
                          std::to_string(server.port) + ": is a port of the proxy itself; choose another"});
  const ProxyIdentity gateway{ProxyIdentity::Kind::kGateway, std::string(object->ns()), "gateway", "",
                              spec.selector};
  if (findings.empty()) check_all(push, gateway, "/spec/servers", findings);
}

void check_api_gateway(const api::ObjectPtr& object, Findings& findings) {
  const std::string class_name = api::gateway_api::read_gateway(object->spec()).class_name;
  const ProxyIdentity gateway{ProxyIdentity::Kind::kGateway,
                              std::string(object->ns()),
                              "gateway",
                              "",
                              {{std::string(kGatewayNameLabel), std::string(object->name())}}};
  api::ObjectPtr our_class = made_up("gateway.networking.k8s.io/v1", "GatewayClass", class_name, "",
                                     {{"controllerName", std::string(kGatewayController)}});
  check_all(alone({object, std::move(our_class)}), gateway, "/spec/listeners", findings);
}

/// For Services that are made up, and have their clusters by the rule. Those of a headless one are others.
void check_destination_rule(const api::ObjectPtr& object, Findings& findings) {
  const api::istio::DestinationRule rule = api::istio::read_destination_rule(object->spec());
  for (const char* ip : {"", "None"}) {
    api::Json spec = {{"clusterIP", ip}};
    spec["ports"] = api::Json::array({{{"name", "http"}, {"port", kAnyPort}}});
    const PushContext push = alone({made_up("v1", "Service", "checked", object->ns(), std::move(spec))});
    ResourceLists made;
    add_service_clusters(made, push, push.registry.services().front(), destination_of(std::array{&rule}),
                         ProxyIdentity::Kind::kSidecar);
    if (findings.empty()) check_set(to_set(std::move(made)), "/spec", findings);
  }
}

void check_service(const api::ObjectPtr& object, Findings& findings) {
  const PushContext push = alone({object});
  ProxyIdentity sidecar;
  sidecar.ns = object->ns();
  for (const Service& service : push.registry.services()) sidecar.labels = service.selector;
  check_all(push, sidecar, "/spec", findings);
}

}  // namespace

std::vector<api::Finding> check_object(const api::Object& object) {
  Findings findings;
  const auto shared = std::make_shared<const api::Object>(object);
  if (object.kind == kinds::virtual_service()) check_virtual_service(shared, findings);
  if (object.kind == kinds::destination_rule()) check_destination_rule(shared, findings);
  if (object.kind == kinds::gateway()) check_gateway(shared, findings);
  if (object.kind == kinds::api_gateway()) check_api_gateway(shared, findings);
  if (object.kind == kinds::http_route()) check_http_route(shared, findings);
  if (object.kind == kinds::ingress()) check_ingress(shared, findings);
  if (object.kind == kinds::service()) check_service(shared, findings);
  return findings;
}

}  // namespace weft::control

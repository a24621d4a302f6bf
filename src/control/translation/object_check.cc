#include "control/translation/object_check.h"

#include <algorithm>

#include "base/strings.h"
#include "control/json.h"
#include "control/translation/gateway_api_routes.h"
#include "control/translation/messages.h"
#include "control/translation/proof.h"
#include "control/translation/route_builder.h"

namespace weft::control {
namespace {

constexpr std::uint16_t kAnyPort = 80;
/// Where the route stands in the table that is made for it.
constexpr std::string_view kInTable = "virtual_hosts[0].routes[0].";
constexpr std::string_view kMatch = "match";

using Findings = std::vector<api::Finding>;

std::string words(std::string_view complaint) { return "no proxy accepts it: " + std::string(complaint); }

/// An object and what it refers to, each of another kind, with nothing else in the world. It is not looked at
/// for faults as other worlds are: this is such a look.
Inputs alone(const std::vector<api::ObjectPtr>& objects) {
  std::map<const api::KindInfo*, std::shared_ptr<const World::Objects>> lists;
  for (const api::ObjectPtr& object : objects)
    lists[object->kind] = std::make_shared<const World::Objects>(World::Objects{object});
  return Inputs(std::make_shared<const World>(1, std::move(lists)));
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

void check_tcp(const api::Json& tcp, const std::string& at, const VirtualService& rule,
               const RouteScope& scope, Findings& findings) {
  tcp_proxy::TcpProxy to = make_tcp_proxy("tcp");
  set_tcp_route(to, tcp, rule, scope);
  listener::Listener made;
  made.set_name("listener");
  set_address(*made.mutable_address(), "0.0.0.0", kAnyPort);
  add_tcp_filter(*made.add_filter_chains(), to);
  for (const std::string& complaint : complaints_of(Type::kListener, serialize(made)))
    findings.push_back({at, words(complaint)});
}

std::string escaped(std::string_view key) {
  std::string made;
  for (char c : key) made += c == '~' ? std::string("~0") : c == '/' ? std::string("~1") : std::string(1, c);
  return made;
}

/// Each change of a header by itself, so that what is found names it. Hosts are no headers to a proxy.
void check_headers(const api::Json& owner, const std::string& at, const VirtualService& rule,
                   const RouteScope& scope, Findings& findings) {
  for (const char* of : {"request", "response"})
    for (const char* what : {"set", "add"})
      for (const auto& [name, value] : json::map(json::map(json::map(owner, "headers"), of), what).items()) {
        if (name == ":authority" || to_lower(name) == "host") continue;
        api::Json http = {{"directResponse", {{"status", 200}}}};
        http["headers"][of][what][name] = value;
        route::VirtualHost host;
        const std::string complaint =
            complaint_about(add_http_route(host, api::Json::object(), http, rule, scope));
        if (complaint.empty()) continue;
        // The path of the field is our own, and the finding's place says it better.
        const auto text = complaint.find(": ");
        findings.push_back({at + "/headers/" + of + "/" + what + "/" + escaped(name),
                            words(text == complaint.npos ? complaint : complaint.substr(text + 2))});
      }
}

/// Whether one of the findings is about `rule` as a whole: its other matches would say the same.
bool is_found(const Findings& findings, const std::string& rule) {
  return !findings.empty() && findings.back().at == rule;
}

void check_virtual_service(const api::ObjectPtr& object, Findings& findings) {
  static const api::Json kEverything = api::Json::array({api::Json::object()});
  const Inputs inputs = alone({object});
  const ProxyIdentity nobody;
  const RouteScope scope{inputs, nobody, std::string(kMesh), kAnyPort};
  const VirtualService& rule = inputs.rules.virtual_services().front();
  std::size_t i = 0;
  for (const api::Json& http : json::list(object->spec(), "http")) {
    const std::string at = "/spec/http/" + std::to_string(i++);
    const std::size_t before = findings.size();
    check_headers(http, at, rule, scope, findings);
    std::size_t k = 0;
    for (const api::Json& to : json::list(http, "route"))
      check_headers(to, at + "/route/" + std::to_string(k++), rule, scope, findings);
    if (findings.size() != before) continue;
    const api::Json& written = json::list(http, "match");
    const api::Json& matches = written.empty() ? kEverything : written;
    for (std::size_t j = 0; j < matches.size() && !is_found(findings, at); ++j) {
      route::VirtualHost host;
      const std::string match = written.empty() ? at : at + "/match/" + std::to_string(j);
      check_routes({add_http_route(host, matches[j], http, rule, scope)}, at, match, findings);
    }
  }
  i = 0;
  for (const api::Json& tcp : json::list(object->spec(), "tcp"))
    check_tcp(tcp, "/spec/tcp/" + std::to_string(i++), rule, scope, findings);
}

void check_http_route(const api::ObjectPtr& object, Findings& findings) {
  static const api::Json kEverything = api::Json::array({api::Json::object()});
  const Inputs inputs = alone({object});
  const ProxyIdentity nobody{ProxyIdentity::Kind::kGateway, "", "", "", {}};
  const RouteScope scope{inputs, nobody, "gateway", kAnyPort};
  const ApiRoute& from = inputs.gateway_api.routes().front();
  std::size_t i = 0;
  for (const api::Json& rule : json::list(object->spec(), "rules")) {
    const std::string at = "/spec/rules/" + std::to_string(i++);
    const api::Json& written = json::list(rule, "matches");
    const api::Json& matches = written.empty() ? kEverything : written;
    for (std::size_t j = 0; j < matches.size() && !is_found(findings, at); ++j) {
      const std::string match = written.empty() ? at : at + "/matches/" + std::to_string(j);
      check_routes(api_rule_routes(from, rule, matches[j], scope), at, match, findings);
    }
  }
}

/// For kinds of which one field becomes one resource, or nearly so.
void check_all(const Inputs& inputs, const ProxyIdentity& proxy, const std::string& at, Findings& findings) {
  const ResourceSet set = translate(inputs, proxy);
  for (Type type : kAllTypes)
    for (const ResourcePtr& each : set[type])
      for (const std::string& complaint : complaints_of(type, each->bytes))
        findings.push_back(
            {at, words(std::string(short_name(type)) + " '" + each->name + "': " + complaint)});
}

void check_ingress(const api::ObjectPtr& object, Findings& findings) {
  const ProxyIdentity gateway{
      ProxyIdentity::Kind::kGateway, "istio-system", "gateway", "", {{"istio", "ingressgateway"}}};
  check_all(alone({object}), gateway, "/spec/rules", findings);
}

void check_gateway(const api::ObjectPtr& object, Findings& findings) {
  const ProxyIdentity gateway{ProxyIdentity::Kind::kGateway, std::string(object->ns()), "gateway", "",
                              labels_from(json::map(object->spec(), "selector"))};
  std::size_t i = 0;
  for (const api::Json& server : json::list(object->spec(), "servers")) {
    const std::string at = "/spec/servers/" + std::to_string(i++) + "/port/number";
    const auto port = json::number(json::map(server, "port"), "number");
    if (port > 0 && port <= 65535 && is_proxys_own(static_cast<std::uint16_t>(port)))
      findings.push_back({at, std::to_string(port) + ": is a port of the proxy itself; choose another"});
  }
  if (findings.empty()) check_all(alone({object}), gateway, "/spec/servers", findings);
}

void check_api_gateway(const api::ObjectPtr& object, Findings& findings) {
  const std::string class_name(json::text(object->spec(), "gatewayClassName"));
  const ProxyIdentity gateway{ProxyIdentity::Kind::kGateway,
                              std::string(object->ns()),
                              "gateway",
                              "",
                              {{std::string(kGatewayNameLabel), std::string(object->name())}}};
  api::ObjectPtr our_class = made_up("gateway.networking.k8s.io/v1", "GatewayClass", class_name, "",
                                     {{"controllerName", std::string(kGatewayController)}});
  check_all(alone({object, std::move(our_class)}), gateway, "/spec/listeners", findings);
}

void check_destination_rule(const api::ObjectPtr& object, Findings& findings) {
  constexpr std::string_view kService = "checked";
  api::Object about_it = *object;
  about_it.body["spec"]["host"] = std::string(kService);
  api::Json ports = api::Json::array({{{"name", "http"}, {"port", kAnyPort}}});
  api::ObjectPtr service = made_up("v1", "Service", kService, object->ns(), {{"ports", std::move(ports)}});
  ProxyIdentity sidecar;
  sidecar.ns = object->ns();
  check_all(alone({std::make_shared<const api::Object>(std::move(about_it)), std::move(service)}), sidecar,
            "/spec", findings);
}

void check_service(const api::ObjectPtr& object, Findings& findings) {
  ProxyIdentity sidecar;
  sidecar.ns = object->ns();
  sidecar.labels = labels_from(json::map(object->spec(), "selector"));
  check_all(alone({object}), sidecar, "/spec", findings);
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

#include "base/strings.h"
#include "base/time.h"
#include "control/translation/messages.h"
#include "control/translation/parts.h"
#include "control/translation/route_builder.h"

namespace weft::control {
namespace {

void add_names(route::VirtualHost& host, const std::string& name, const std::string& ns,
               const ProxyIdentity& proxy) {
  host.add_domains(full_host(name, ns));
  host.add_domains(full_host(name, ns) + ".");
  if (ns == proxy.ns) host.add_domains(name);
  host.add_domains(name + "." + ns + ".svc");
  host.add_domains(name + "." + ns);
}

void add_host_domains(route::VirtualHost& host, const Service& service, const ProxyIdentity& proxy) {
  add_names(host, service.name, service.ns, proxy);
  for (const std::string& alias : service.aliases) {
    auto parts = split(alias, '.');
    add_names(host, std::string(parts[0]), std::string(parts[1]), proxy);
  }
  // As it stands in a Host header (RFC 3986, 3.2.2).
  for (const std::string& ip : service.cluster_ips)
    host.add_domains(ip.find(':') == ip.npos ? ip : "[" + ip + "]");
  if (service.headless) host.add_domains("*." + service.host);
}

void fill_host(route::VirtualHost& host, const Service& service, const ServicePort& port,
               const VirtualService* rule, const RouteScope& scope) {
  host.set_name(service.host + ":" + std::to_string(port.number));
  host.set_include_request_attempt_count(true);
  if (rule)
    add_rule_routes(host, *rule, scope);
  else
    add_plain_route(host, outbound_cluster(port.number, "", service.host), host.name());
}

}  // namespace

HostPiecePtr service_host(const Service& service, const ServicePort& port, const VirtualService* rule,
                          const RouteScope& scope, Proof* proof) {
  route::VirtualHost host;
  add_host_domains(host, service, scope.proxy);
  fill_host(host, service, port, rule, scope);
  return piece_of(host, proof);
}

HostPiecePtr only_host(const Service& service, const ServicePort& port, const VirtualService* rule,
                       const RouteScope& scope, Proof* proof) {
  route::VirtualHost host;
  host.add_domains("*");
  fill_host(host, service, port, rule, scope);
  return piece_of(host, proof);
}

HostPiecePtr foreign_host(const std::string& name, const VirtualService& rule, const RouteScope& scope,
                          Proof* proof) {
  route::VirtualHost host;
  host.set_name(name + ":" + std::to_string(scope.port));
  host.add_domains(name);
  host.set_include_request_attempt_count(true);
  add_rule_routes(host, rule, scope);
  return piece_of(host, proof);
}

HostPiecePtr allow_any_host(Proof* proof) {
  route::VirtualHost host;
  host.set_name("allow_any");
  host.add_domains("*");
  host.set_include_request_attempt_count(true);
  auto& made = *host.add_routes();
  made.set_name("allow_any");
  made.mutable_match()->set_prefix("/");
  made.mutable_route()->set_cluster(std::string(kPassthrough));
  set_timeout(*made.mutable_route(), 0ms);
  return piece_of(host, proof);
}

HostPiecePtr piece_of(const route::VirtualHost& host, Proof* proof) {
  return proof ? proof->sound(host) : std::make_shared<const HostPiece>(make_piece(host));
}

Resource table_of_pieces(const std::string& name, std::vector<HostPiecePtr> hosts, Proof* proof) {
  std::erase(hosts, nullptr);
  if (proof && !has_unique_domains(hosts)) hosts = with_unique_domains(hosts);
  return make_table(name, hosts);
}

}  // namespace weft::control

#include <algorithm>
#include <array>
#include <string>

#include "base/strings.h"
#include "control/controllers/gateway_parts.h"
#include "control/controllers/links.h"
#include "control/json.h"
#include "control/translation/parts.h"

namespace weft::control {
namespace {

/// What `written` stands for in `ns` in every form in which Registry::resolve() may leave it: names that can
/// come to mean the same host have one of these.
std::string canonical_host(std::string_view written, std::string_view ns) {
  std::string host = to_lower(written);
  if (host == "*") return host;
  const auto parts = split(host, '.');
  if (parts.size() == 1) return full_host(host, ns);
  if (parts.size() == 2 || (parts.size() == 3 && parts[2] == "svc")) return full_host(parts[0], parts[1]);
  return host;
}

bool is_waiting(const api::Object& object) {
  return std::ranges::any_of(json::list(object.status(), "conditions"), [](const api::Json& each) {
    return json::text(each, "type") == "Resolved" && json::text(each, "status") == "False";
  });
}

/// A status that is written says nothing new to others.
Topic spec_of(const api::Object& object) {
  if (object.generation() != 0) return topic(About::kSpec, object.uid(), std::to_string(object.generation()));
  const api::Object* const self = &object;
  return topic(About::kSpec, {reinterpret_cast<const char*>(&self), sizeof self});
}

/// What both lists of namespace and name look for, whose host is not there: "did you mean".
void ask_for_names_like(Links& links, std::string_view host, std::string_view ns) {
  const auto parts = split(host, '.');
  links.asks.push_back(topic(About::kServicesNamed, parts[0]));
  links.asks.push_back(topic(About::kServicesOf, parts.size() > 1 ? parts[1] : ns));
}

/// Any label that all of `labels` have will do.
Topic first_label(About about, std::string_view ns, const Labels& labels) {
  if (labels.empty()) return about == About::kPodLabel ? topic(about) : topic(about, ns);
  const auto& [key, value] = *labels.begin();
  return about == About::kPodLabel ? topic(about, key, value) : topic(about, ns, key, value);
}

void link_owners(Links& links, const api::Object& object) {
  for (const auto& owner : json::list(json::map(object.body, "metadata"), "ownerReferences")) {
    const Topic owned = topic(About::kOwner, json::text(owner, "uid"));
    links.says.push_back(owned);
    links.found_by.push_back(owned);
  }
}

void link_part(Links& links, const api::Object& object) {
  links.says.push_back(topic(About::kPart, object.kind->kind, object.ns(), object.name()));
}

void say_addresses(Links& links) {
  links.says.push_back(topic(About::kIngressAddresses));
  links.found_by.push_back(topic(About::kIngressAddresses));
}

void link_alias(Links& links, const api::Object& service, const std::string& host) {
  std::string to = to_lower(json::text(service.spec(), "externalName"));
  if (to.ends_with('.')) to.pop_back();
  to = canonical_host(to, service.ns());
  Links asked;
  asked.asks = {topic(About::kService, to), topic(About::kDestinationRules, to),
                topic(About::kWildcardDestinationRules)};
  ask_for_names_like(asked, to, service.ns());
  for (const Topic each : asked.asks) links.passes_on.emplace_back(each, topic(About::kService, host));
}

/// What it was given, or still needs.
void link_allocations(Links& links, const api::Object& service) {
  const std::string_view type = json::text(service.spec(), "type");
  const Topic any_port = topic(About::kNodePorts);
  links.says.push_back(any_port);
  links.found_by.push_back(topic(About::kAddress, json::text(service.spec(), "clusterIP")));
  for (const auto& port : json::list(service.spec(), "ports")) {
    const std::int64_t number = json::number(port, "nodePort");
    if (number != 0)
      links.found_by.push_back(topic(About::kNodePort, std::to_string(number)));
    else if (type == "NodePort" || type == "LoadBalancer")
      links.asks.push_back(any_port);
  }
}

void link_service(Links& links, const api::Object& service) {
  const std::string host = full_host(service.name(), service.ns());
  links.says.push_back(topic(About::kService, host));
  link_part(links, service);
  link_allocations(links, service);
  if (is_gateway_role(json::text(json::map(service.spec(), "selector"), "istio"))) say_addresses(links);
  if (json::text(service.spec(), "type") == "ExternalName") return link_alias(links, service, host);
  links.shows = {topic(About::kServicesOf, service.ns()), topic(About::kServicesNamed, service.name())};
  const Labels selector = labels_from(json::map(service.spec(), "selector"));
  links.passes_on.emplace_back(first_label(About::kTemplateLabel, service.ns(), selector),
                               topic(About::kEndpoints, host));
  links.asks.push_back(topic(About::kSlicesNamed, service.ns(), service.name()));
  links.asks.push_back(topic(About::kOwner, service.uid()));
  if (selector.empty()) return;
  const Topic pods = first_label(About::kPodsLabelled, service.ns(), selector);
  links.asks.push_back(pods);
  links.passes_on.emplace_back(pods, topic(About::kServicePods, host));
}

void link_pod(Links& links, const api::Object& pod) {
  link_owners(links, pod);
  links.shows = {topic(About::kPod, pod.ns(), pod.name()),
                 topic(About::kSpec, json::text(pod.status(), "podIP")), topic(About::kPodLabel)};
  const std::map<std::string, std::string> labels = pod.labels();
  for (const auto& [key, value] : labels) {
    links.says.push_back(topic(About::kPodsLabelled, pod.ns(), key, value));
    links.found_by.push_back(links.says.back());
    links.shows.push_back(topic(About::kPodLabel, key, value));
    links.found_by.push_back(links.shows.back());
  }
  links.found_by.push_back(topic(About::kPodLabel));
  if (is_gateway(labels)) links.shows.push_back(topic(About::kGatewayPods));
  if (is_gateway_role(pod.label("istio"))) say_addresses(links);
}

/// Of its own name: how a controller here names what it makes for a Service, or the Service that it names.
void link_slice(Links& links, const api::Object& slice) {
  link_owners(links, slice);
  const std::string host = full_host(slice.label("kubernetes.io/service-name"), slice.ns());
  links.asks.push_back(topic(About::kService, host));
  links.says.push_back(topic(About::kEndpoints, host));
  const std::string_view name = slice.name();
  links.says.push_back(topic(About::kSlicesNamed, slice.ns(), name.substr(0, name.rfind('-'))));
  for (const auto& endpoint : json::list(slice.body, "endpoints")) {
    const std::string_view pod = json::text(json::map(endpoint, "targetRef"), "name");
    if (!pod.empty())
      links.passes_on.emplace_back(topic(About::kPod, slice.ns(), pod), topic(About::kEndpoints, host));
  }
}

void link_workload(Links& links, const api::Object& workload) {
  link_owners(links, workload);
  links.asks.push_back(topic(About::kOwner, workload.uid()));
  if (workload.kind == kinds::deployment()) link_part(links, workload);
  links.shows.push_back(topic(About::kTemplateLabel, workload.ns()));
  for (const auto& [key, value] : template_labels(workload))
    links.shows.push_back(topic(About::kTemplateLabel, workload.ns(), key, value));
}

/// Who has a host of the mesh is decided among those that name it.
void link_hosts(Links& links, const Typed<api::istio::VirtualService>& rule, bool of_mesh) {
  const api::Object& object = *rule.object;
  for (const std::string& written : rule.spec->hosts) {
    const std::string host = canonical_host(written, object.ns());
    links.asks.push_back(topic(About::kService, host));
    if (is_waiting(object)) ask_for_names_like(links, host, object.ns());
    if (!of_mesh) continue;
    links.shows.push_back(topic(About::kHostRules, host));
    links.asks.push_back(links.shows.back());
  }
}

bool link_gateways(Links& links, const Typed<api::istio::VirtualService>& rule) {
  bool of_mesh = rule.spec->gateways.empty();
  for (const std::string& written : rule.spec->gateways) {
    const std::string name = gateway_name(written, rule.object->ns());
    of_mesh = of_mesh || name == kMesh;
    links.asks.push_back(topic(About::kGateway, name));
    if (rule.spec->tcp.empty()) continue;
    links.shows.push_back(topic(About::kTcpRules, name));
    links.asks.push_back(links.shows.back());
  }
  if (is_waiting(*rule.object)) links.asks.push_back(topic(About::kGateways));
  return of_mesh;
}

void link_destinations(Links& links, const std::vector<api::istio::WeightedDestination>& destinations,
                       const api::Object& rule) {
  for (const api::istio::WeightedDestination& to : destinations) {
    const std::string host = canonical_host(to.destination.host, rule.ns());
    links.asks.push_back(topic(About::kService, host));
    if (is_waiting(rule)) ask_for_names_like(links, host, rule.ns());
    if (to.destination.subset.empty()) continue;
    links.asks.push_back(topic(About::kDestinationRules, host));
    links.asks.push_back(topic(About::kWildcardDestinationRules));
  }
}

void link_virtual_service(Links& links, const Typed<api::istio::VirtualService>& rule) {
  const api::Object& object = *rule.object;
  links.shows.push_back(spec_of(object));
  link_hosts(links, rule, link_gateways(links, rule));
  for (const api::istio::HttpRoute& route : rule.spec->http)
    link_destinations(links, route.destinations(), object);
  for (const api::istio::TcpRoute& route : rule.spec->tcp)
    link_destinations(links, route.destinations, object);
}

void link_destination_rule(Links& links, const Typed<api::istio::DestinationRule>& rule) {
  const api::Object& object = *rule.object;
  const std::string host = canonical_host(rule.spec->host, object.ns());
  links.shows = {spec_of(object), topic(About::kDestinationRules, host)};
  links.asks = {topic(About::kDestinationRules, host), topic(About::kService, host),
                topic(About::kEndpoints, host)};
  if (host.starts_with('*')) links.shows.push_back(topic(About::kWildcardDestinationRules));
  if (is_waiting(object)) ask_for_names_like(links, host, object.ns());
}

void link_gateway(Links& links, const Typed<api::istio::Gateway>& gateway) {
  const api::Object& object = *gateway.object;
  const Topic self = topic(About::kGateway, std::string(object.ns()) + "/" + std::string(object.name()));
  links.shows = {spec_of(object), self, topic(About::kGateways)};
  const Topic pods = first_label(About::kPodLabel, {}, gateway.spec->selector);
  links.asks = {pods, topic(About::kGatewayPods)};
  links.passes_on.emplace_back(pods, self);
  for (const api::istio::Server& server : gateway.spec->servers) {
    const std::string port = std::to_string(server.port);
    const bool tcp = server.is_tcp();
    links.shows.push_back(topic(About::kGatewayPort, port, tcp ? "tcp" : "http"));
    links.asks.push_back(topic(About::kGatewayPort, port, tcp ? "http" : "tcp"));
  }
}

void link_backend(Links& links, const api::Object& ingress,
                  const std::optional<api::networking::Backend>& backend) {
  if (!backend || backend->service.empty()) return;
  const std::string host = full_host(to_lower(backend->service), ingress.ns());
  links.asks.push_back(topic(About::kService, host));
  if (is_waiting(ingress)) ask_for_names_like(links, host, ingress.ns());
}

void link_ingress(Links& links, const Typed<api::networking::Ingress>& ingress) {
  const api::Object& object = *ingress.object;
  std::string_view named = ingress.spec->class_name;
  if (named.empty()) named = object.annotation("kubernetes.io/ingress.class");
  const Topic its_class = topic(About::kIngressClass, named);
  links.shows = {spec_of(object), its_class};
  links.asks = {its_class, topic(About::kIngressAddresses),
                topic(About::kService, full_host(kIngressService, kRootNamespace))};
  link_backend(links, object, ingress.spec->default_backend);
  for (const api::networking::IngressRule& rule : ingress.spec->rules)
    for (const api::networking::IngressPath& path : rule.paths) {
      link_backend(links, object, path.backend);
      links.shows.push_back(topic(About::kIngressPath, rule.host, path.path, to_string(path.type)));
      links.asks.push_back(links.shows.back());
      // Of which class it is decides whether it has the path.
      links.passes_on.emplace_back(its_class, links.shows.back());
    }
}

void link_api_gateway(Links& links, const Typed<api::gateway_api::Gateway>& gateway) {
  const api::Object& object = *gateway.object;
  const Topic self = topic(About::kApiGateway, object.ns(), object.name());
  const Topic its_class = topic(About::kGatewayClass, gateway.spec->class_name);
  links.shows = {spec_of(object), self};
  links.passes_on.emplace_back(its_class, self);
  links.asks = {its_class, topic(About::kRoutesOf, object.ns(), object.name()),
                topic(About::kService, full_host(kIngressService, kRootNamespace))};
  const std::string part = parts_name(object, *gateway.spec);
  for (const api::KindInfo* kind : {kinds::service_account(), kinds::deployment(), kinds::service()})
    links.asks.push_back(topic(About::kPart, kind->kind, object.ns(), part));
  std::vector<std::string> hosts = {full_host(part, object.ns())};
  for (const std::string& address : gateway.spec->addresses)
    hosts.push_back(canonical_host(address, object.ns()));
  for (const std::string& host : hosts) {
    links.asks.push_back(topic(About::kService, host));
    links.asks.push_back(topic(About::kServicePods, host));
  }
}

void link_route(Links& links, const Typed<api::gateway_api::HttpRoute>& route) {
  const api::Object& object = *route.object;
  links.shows.push_back(spec_of(object));
  const Topic its_namespace = topic(About::kNamespace, object.ns());
  links.asks.push_back(its_namespace);
  for (const api::gateway_api::ParentRef& parent : route.spec->parents) {
    const std::string_view ns = parent.ns && !parent.ns->empty() ? *parent.ns : object.ns();
    const Topic routes = topic(About::kRoutesOf, ns, parent.name);
    links.asks.push_back(topic(About::kApiGateway, ns, parent.name));
    links.shows.push_back(routes);
    links.passes_on.emplace_back(its_namespace, routes);
  }
  for (const api::gateway_api::RouteRule& rule : route.spec->rules)
    for (const api::gateway_api::BackendRef& backend : rule.backends) {
      const std::string_view ns = backend.ns.empty() ? object.ns() : std::string_view(backend.ns);
      links.asks.push_back(topic(About::kService, full_host(backend.name, ns)));
      links.asks.push_back(topic(About::kGrants, ns));
    }
}

void link_namespace(Links& links, const api::Object& ns) {
  links.says.push_back(topic(About::kNamespace, ns.name()));
  links.asks.push_back(topic(About::kPart, kinds::service_account()->kind, ns.name(), "default"));
}

void say_class(Links& links, const api::Object& named) {
  const bool of_ingresses = named.kind == kinds::ingress_class();
  links.says.push_back(topic(of_ingresses ? About::kIngressClass : About::kGatewayClass, named.name()));
}

void say_grants(Links& links, const api::Object& grant) {
  links.says.push_back(topic(About::kGrants, grant.ns()));
}

/// Links of an object whose own body is read.
template <void (*link)(Links&, const api::Object&)>
void plainly(Links& links, const ObjectSnapshot&, const api::Object& object) {
  link(links, object);
}

/// Links of a user's object.
template <class Spec, void (*link)(Links&, const Typed<Spec>&)>
void as_read(Links& links, const ObjectSnapshot& snapshot, const api::Object& object) {
  if (const auto* typed = snapshot.typed().find<Spec>(object.ns(), object.name())) link(links, *typed);
}

}  // namespace

Links links_of(const ObjectSnapshot& snapshot, const api::Object& object) {
  struct Row {
    const api::KindInfo* kind;
    void (*link)(Links&, const ObjectSnapshot&, const api::Object&);
  };
  static const std::array<Row, 16> kRows = {
      {{kinds::name_space(), plainly<link_namespace>},
       {kinds::service_account(), plainly<link_part>},
       {kinds::service(), plainly<link_service>},
       {kinds::pod(), plainly<link_pod>},
       {kinds::endpoint_slice(), plainly<link_slice>},
       {kinds::deployment(), plainly<link_workload>},
       {kinds::replica_set(), plainly<link_workload>},
       {kinds::ingress_class(), plainly<say_class>},
       {kinds::gateway_class(), plainly<say_class>},
       {kinds::reference_grant(), plainly<say_grants>},
       {kinds::ingress(), as_read<api::networking::Ingress, link_ingress>},
       {kinds::gateway(), as_read<api::istio::Gateway, link_gateway>},
       {kinds::virtual_service(), as_read<api::istio::VirtualService, link_virtual_service>},
       {kinds::destination_rule(), as_read<api::istio::DestinationRule, link_destination_rule>},
       {kinds::api_gateway(), as_read<api::gateway_api::Gateway, link_api_gateway>},
       {kinds::http_route(), as_read<api::gateway_api::HttpRoute, link_route>}}};
  Links links;
  if (const auto row = std::ranges::find(kRows, object.kind, &Row::kind); row != kRows.end())
    row->link(links, snapshot, object);
  return links;
}

}  // namespace weft::control

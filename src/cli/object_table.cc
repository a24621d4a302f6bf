#include "cli/object_table.h"

#include <array>
#include <string_view>
#include <utility>

#include "base/strings.h"
#include "cli/age.h"
#include "cli/context.h"
#include "cli/json_path.h"
#include "cli/pod_summary.h"

namespace weft::cli {
namespace {

using api::Json;
using Cells = std::vector<std::string>;
using Now = std::chrono::sys_seconds;

std::string or_none(const std::string& text) { return text.empty() ? "<none>" : text; }
std::string count_at(const Json& json, std::string_view path) {
  return std::to_string(number_at(json, path));
}

Cells pod_cells(const Json& pod, Now now) {
  const PodSummary summary = summarize_pod(pod);
  std::string restarts = std::to_string(summary.restarts);
  if (summary.restarts > 0 && !summary.last_restart.empty())
    restarts += " (" + age_since(summary.last_restart, now) + " ago)";
  return {std::to_string(summary.ready) + "/" + std::to_string(summary.containers), summary.status, restarts};
}
Cells pod_wide(const Json& pod) {
  return {or_none(text_at(pod, "status.podIP")), or_none(text_at(pod, "spec.nodeName")), "<none>", "<none>"};
}

std::string load_balancer(const Json& object) {
  std::string text;
  for (const Json& address : list_at(object, "status.loadBalancer.ingress")) {
    if (!text.empty()) text += ",";
    const std::string ip = text_at(address, "ip");
    text += ip.empty() ? text_at(address, "hostname") : ip;
  }
  return text;
}

std::string external_ip(const Json& service) {
  const std::string type = text_at(service, "spec.type");
  if (type == "ExternalName") return text_at(service, "spec.externalName");
  const std::string given = joined(list_at(service, "spec.externalIPs"), ",");
  if (type != "LoadBalancer") return or_none(given);
  const std::string text = load_balancer(service);
  if (text.empty()) return given.empty() ? "<pending>" : given;
  return given.empty() ? text : text + "," + given;
}

Cells service_cells(const Json& service, Now) {
  std::string ports;
  for (const Json& port : list_at(service, "spec.ports")) {
    if (!ports.empty()) ports += ",";
    ports += count_at(port, "port");
    if (number_at(port, "nodePort") != 0) ports += ":" + count_at(port, "nodePort");
    const std::string protocol = text_at(port, "protocol");
    ports += "/" + (protocol.empty() ? std::string("TCP") : protocol);
  }
  const std::string type = text_at(service, "spec.type");
  return {type.empty() ? "ClusterIP" : type, or_none(text_at(service, "spec.clusterIP")),
          external_ip(service), or_none(ports)};
}
Cells service_wide(const Json& service) { return {pairs_text(at(service, "spec.selector"))}; }

std::string selector_text(const Json& selector) {
  std::string text = pairs_text(at(selector, "matchLabels"), "");
  for (const Json& expression : list_at(selector, "matchExpressions")) {
    if (!text.empty()) text += ",";
    const std::string key = text_at(expression, "key"), op = text_at(expression, "operator");
    const std::string values = " (" + joined(list_at(expression, "values"), ",") + ")";
    if (op == "In") text += key + " in" + values;
    if (op == "NotIn") text += key + " notin" + values;
    if (op == "Exists") text += key;
    if (op == "DoesNotExist") text += "!" + key;
  }
  return or_none(text);
}

Cells workload_wide(const Json& workload) {
  std::string names, images;
  for (const Json& container : list_at(workload, "spec.template.spec.containers")) {
    if (!names.empty()) names += ",", images += ",";
    names += text_at(container, "name");
    images += text_at(container, "image");
  }
  return {names, images, selector_text(at(workload, "spec.selector"))};
}
Cells deployment_cells(const Json& deployment, Now) {
  return {count_at(deployment, "status.readyReplicas") + "/" +
              std::to_string(number_at(deployment, "spec.replicas", 1)),
          count_at(deployment, "status.updatedReplicas"), count_at(deployment, "status.availableReplicas")};
}
Cells replica_set_cells(const Json& set, Now) {
  return {std::to_string(number_at(set, "spec.replicas", 1)), count_at(set, "status.replicas"),
          count_at(set, "status.readyReplicas")};
}

Cells ingress_cells(const Json& ingress, Now) {
  Cells hosts;
  for (const Json& rule : list_at(ingress, "spec.rules"))
    if (std::string host = text_at(rule, "host"); !host.empty()) hosts.push_back(std::move(host));
  const std::size_t more = hosts.size() > 3 ? hosts.size() - 3 : 0;
  hosts.resize(hosts.size() - more);
  std::string text = hosts.empty() ? "*" : join(hosts, ",");
  if (more > 0) text += " + " + std::to_string(more) + " more...";
  return {or_none(text_at(ingress, "spec.ingressClassName")), text, load_balancer(ingress),
          list_at(ingress, "spec.tls").empty() ? "80" : "80, 443"};
}

/// What the column of a custom resource shows of a list: its JSON.
std::string json_cell(const Json& value) {
  return value.is_null() ? "" : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}
Cells virtual_service_cells(const Json& rule, Now) {
  return {json_cell(at(rule, "spec.gateways")), json_cell(at(rule, "spec.hosts"))};
}
/// "True" of a condition of the status; empty while there is none.
std::string condition_status(const Json& object, std::string_view type) {
  for (const Json& condition : list_at(object, "status.conditions"))
    if (text_at(condition, "type") == type) return text_at(condition, "status");
  return {};
}
Cells gateway_class_cells(const Json& gateway_class, Now) {
  return {text_at(gateway_class, "spec.controllerName"), condition_status(gateway_class, "Accepted")};
}
Cells api_gateway_cells(const Json& gateway, Now) {
  std::string addresses;
  for (const Json& address : list_at(gateway, "status.addresses"))
    addresses += (addresses.empty() ? "" : ",") + text_at(address, "value");
  return {text_at(gateway, "spec.gatewayClassName"), addresses, condition_status(gateway, "Programmed")};
}
Cells http_route_cells(const Json& route, Now) { return {json_cell(at(route, "spec.hostnames"))}; }
Cells destination_rule_cells(const Json& rule, Now) { return {text_at(rule, "spec.host")}; }
Cells no_cells(const Json&, Now) { return {}; }

Cells namespace_cells(const Json& ns, Now) {
  const std::string phase = text_at(ns, "status.phase");
  return {phase.empty() ? "Active" : phase};
}
std::string entries(const Json& object, std::string_view first, std::string_view second = "") {
  return std::to_string(at(object, first).size() + (second.empty() ? 0 : at(object, second).size()));
}
Cells config_map_cells(const Json& map, Now) { return {entries(map, "data", "binaryData")}; }
Cells secret_cells(const Json& secret, Now) {
  const std::string type = text_at(secret, "type");
  return {type.empty() ? "Opaque" : type, entries(secret, "data")};
}
Cells service_account_cells(const Json& account, Now) { return {entries(account, "secrets")}; }
Cells ingress_class_cells(const Json& ingress_class, Now) {
  const Json& parameters = at(ingress_class, "spec.parameters");
  return {
      text_at(ingress_class, "spec.controller"),
      parameters.is_object() ? text_at(parameters, "kind") + "/" + text_at(parameters, "name") : "<none>"};
}

Cells endpoint_slice_cells(const Json& slice, Now) {
  Cells ports, addresses;
  for (const Json& port : list_at(slice, "ports")) ports.push_back(count_at(port, "port"));
  for (const Json& endpoint : list_at(slice, "endpoints"))
    for (const Json& address : list_at(endpoint, "addresses")) addresses.push_back(scalar_text(address));
  const std::size_t more = addresses.size() > 3 ? addresses.size() - 3 : 0;
  addresses.resize(addresses.size() - more);
  std::string text = addresses.empty() ? "<unset>" : join(addresses, ",");
  if (more > 0) text += " + " + std::to_string(more) + " more...";
  return {text_at(slice, "addressType"), ports.empty() ? "<unset>" : join(ports, ","), text};
}

struct Columns {
  std::string_view plural;
  std::string_view heading;  ///< between NAME and AGE
  Cells (*cells)(const Json&, Now);
  std::string_view wide_heading = {};
  Cells (*wide_cells)(const Json&) = nullptr;
};

constexpr std::array<Columns, 17> kColumns = {{
    {"pods", "READY|STATUS|RESTARTS", pod_cells, "IP|NODE|NOMINATED NODE|READINESS GATES", pod_wide},
    {"services", "TYPE|CLUSTER-IP|EXTERNAL-IP|PORT(S)", service_cells, "SELECTOR", service_wide},
    {"deployments", "READY|UP-TO-DATE|AVAILABLE", deployment_cells, "CONTAINERS|IMAGES|SELECTOR",
     workload_wide},
    {"replicasets", "DESIRED|CURRENT|READY", replica_set_cells, "CONTAINERS|IMAGES|SELECTOR", workload_wide},
    {"ingresses", "CLASS|HOSTS|ADDRESS|PORTS", ingress_cells},
    {"ingressclasses", "CONTROLLER|PARAMETERS", ingress_class_cells},
    {"gateways", "", no_cells},
    {"gateways.gateway.networking.k8s.io", "CLASS|ADDRESS|PROGRAMMED", api_gateway_cells},
    {"gatewayclasses", "CONTROLLER|ACCEPTED", gateway_class_cells},
    {"httproutes", "HOSTNAMES", http_route_cells},
    {"virtualservices", "GATEWAYS|HOSTS", virtual_service_cells},
    {"destinationrules", "HOST", destination_rule_cells},
    {"namespaces", "STATUS", namespace_cells},
    {"configmaps", "DATA", config_map_cells},
    {"secrets", "TYPE|DATA", secret_cells},
    {"serviceaccounts", "SECRETS", service_account_cells},
    {"endpointslices", "ADDRESSTYPE|PORTS|ENDPOINTS", endpoint_slice_cells},
}};

const Columns& columns_of(const api::KindInfo& kind) {
  static constexpr Columns kPlain = {"", "", no_cells};
  // A kind that shares its name with another stands in the table by its full name.
  const std::string full = std::string(kind.plural) + "." + std::string(kind.group);
  for (const Columns& columns : kColumns)
    if (columns.plural == full) return columns;
  for (const Columns& columns : kColumns)
    if (columns.plural == kind.plural) return columns;
  return kPlain;
}

void append_names(Cells& to, std::string_view names) {
  if (names.empty()) return;
  for (std::string_view name : split(names, '|')) to.emplace_back(name);
}

Cells heading_of(const api::KindInfo& kind, const TableStyle& style) {
  Cells heading;
  if (!style.headers) return heading;
  const Columns& columns = columns_of(kind);
  if (style.with_namespace && kind.namespaced) heading.emplace_back("NAMESPACE");
  heading.emplace_back("NAME");
  append_names(heading, columns.heading);
  heading.emplace_back("AGE");
  if (style.wide) append_names(heading, columns.wide_heading);
  if (style.with_labels) heading.emplace_back("LABELS");
  return heading;
}

}  // namespace

ObjectTable::ObjectTable(const api::KindInfo& kind, TableStyle style)
    : kind_(kind), style_(style), table_(heading_of(kind, style)) {}

void ObjectTable::add(const api::Object& object, std::chrono::sys_seconds now) {
  const Columns& columns = columns_of(kind_);
  Cells row;
  if (style_.with_namespace && kind_.namespaced) row.emplace_back(object.ns());
  row.push_back(style_.with_type ? singular_with_group(kind_) + "/" + std::string(object.name())
                                 : std::string(object.name()));
  for (std::string& cell : columns.cells(object.body, now)) row.push_back(std::move(cell));
  row.push_back(age_since(text_at(object.body, "metadata.creationTimestamp"), now));
  if (style_.wide && columns.wide_cells != nullptr)
    for (std::string& cell : columns.wide_cells(object.body)) row.push_back(std::move(cell));
  if (style_.with_labels) row.push_back(pairs_text(at(object.body, "metadata.labels")));
  table_.add(std::move(row));
}

}  // namespace weft::cli

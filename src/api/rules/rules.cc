#include "api/rules/rules.h"

#include "api/json_text.h"
#include "api/schema/check.h"
#include "api/schema/formats.h"
#include "base/strings.h"

namespace weft::api {
namespace {

void check_name(const Json& body, const KindInfo& kind, const Path& at, Report& report) {
  const Json& meta = body["metadata"];
  Path meta_at = at.at("metadata");
  std::string complaint;
  if (kind.kind == "Service") complaint = service_name(text_of(meta, "name"));
  if (kind.kind == "Namespace") complaint = dns_label(text_of(meta, "name"));
  if (!complaint.empty()) report.problem(meta_at.at("name"), shown(meta["name"]) + ": " + complaint);
  if (!kind.namespaced && meta.contains("namespace"))
    report.problem(meta_at.at("namespace"), "a " + std::string(kind.kind) + " is in no namespace; remove it");
}

void check_service(const Json& spec, const Path& at, Report& report) {
  std::string_view cluster_ip = text_of(spec, "clusterIP");
  if (!cluster_ip.empty() && cluster_ip != "None")
    if (std::string complaint = ip_address(cluster_ip); !complaint.empty())
      report.problem(at.at("clusterIP"), shown(spec["clusterIP"]) + ": " + complaint + ", or None");
  const Json* ports = member(spec, "ports");
  const std::size_t count = ports ? ports->size() : 0;
  if (count == 0 && cluster_ip != "None")
    return report.problem(at.at("ports"), "is required: at least one port");
  Unique names("this port's name", report);
  Unique numbers("this port", report);
  each(spec, "ports", at, [&](const Json& port, const Path& port_at) {
    if (port.contains("name")) {
      names.add(std::string(text_of(port, "name")), port_at.at("name"));
    } else if (count > 1) {
      report.problem(port_at.at("name"), "is required when there are several ports");
    }
    numbers.add(json_text(port["port"]), port_at.at("port"));
  });
}

void check_sizes(const Json& body, const char* second, const Path& at, Report& report) {
  constexpr std::size_t kMax = 1 << 20;
  std::size_t size = 0;
  for (const char* name : {"data", second}) {
    const Json* entries = member(body, name);
    if (!entries) continue;
    for (const auto& [key, value] : entries->items())
      size += key.size() + value.get_ref<const std::string&>().size();
  }
  if (size > kMax)
    report.problem(at, std::to_string(size) + " bytes of data; at most 1048576 may be kept in one object");
}

void check_ingress(const Json& spec, const Path& at, Report& report) {
  const Json* rules = member(spec, "rules");
  if (!spec.contains("defaultBackend") && (!rules || rules->empty()))
    report.problem(at.at("rules"), "rules or a defaultBackend is required");
  each(spec, "rules", at, [&](const Json& rule, const Path& rule_at) {
    const Json* http = member(rule, "http");
    if (!http) return;
    Path http_at = rule_at.at("http");
    if ((*http)["paths"].empty()) report.problem(http_at.at("paths"), "must have at least one path");
    each(*http, "paths", http_at, [&](const Json& path, const Path& path_at) {
      if (text_of(path, "path").find_first_of("?#") != std::string_view::npos)
        report.problem(path_at.at("path"), shown(path["path"]) + ": " + std::string(kOnlyAPath));
      if (text_of(path, "path").empty() && path["pathType"] != "ImplementationSpecific")
        report.problem(path_at.at("path"),
                       "is required with pathType " + std::string(text_of(path, "pathType")));
    });
  });
}

void check_endpoint_slice(const Json& body, const Path& at, Report& report) {
  const bool six = text_of(body, "addressType") == "IPv6";
  each(body, "endpoints", at, [&](const Json& endpoint, const Path& endpoint_at) {
    if (endpoint["addresses"].empty())
      report.problem(endpoint_at.at("addresses"), "must have at least one address");
    each(endpoint, "addresses", endpoint_at, [&](const Json& address, const Path& address_at) {
      bool colon = address.get_ref<const std::string&>().find(':') != std::string::npos;
      if (colon != six)
        report.problem(address_at, shown(address) + ": must be an address of type " +
                                       std::string(text_of(body, "addressType")));
    });
  });
}

}  // namespace

const Json* member(const Json& value, std::string_view name) {
  auto found = value.find(name);
  return found == value.end() ? nullptr : &*found;
}

std::string_view text_of(const Json& value, std::string_view name) {
  const Json* found = member(value, name);
  return found && found->is_string() ? std::string_view(found->get_ref<const std::string&>())
                                     : std::string_view();
}

bool is_host_header(std::string_view name) { return name == ":authority" || to_lower(name) == "host"; }

void check_rules(const Json& body, const KindInfo& kind, const Path& at, Report& report) {
  check_name(body, kind, at, report);
  Path spec_at = at.at("spec");
  if (kind.kind == "ConfigMap") return check_sizes(body, "binaryData", at, report);
  if (kind.kind == "Secret") return check_sizes(body, "stringData", at, report);
  if (kind.kind == "EndpointSlice") return check_endpoint_slice(body, at, report);
  const Json* spec = member(body, "spec");
  if (!spec) return;
  if (kind.kind == "Service") check_service(*spec, spec_at, report);
  if (kind.kind == "Pod") check_pod_spec(*spec, spec_at, report);
  if (kind.kind == "Deployment" || kind.kind == "ReplicaSet") check_workload(*spec, spec_at, report);
  if (kind.kind == "Ingress") check_ingress(*spec, spec_at, report);
  if (kind.kind == "Gateway")
    (kind.group == "networking.istio.io" ? check_gateway : check_api_gateway)(*spec, spec_at, report);
  if (kind.kind == "VirtualService") check_virtual_service(*spec, spec_at, report);
  if (kind.kind == "DestinationRule") check_destination_rule(*spec, spec_at, report);
  if (kind.kind == "HTTPRoute") check_http_route(*spec, spec_at, report);
  if (kind.kind == "ReferenceGrant") check_reference_grant(*spec, spec_at, report);
}

}  // namespace weft::api

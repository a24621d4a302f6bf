#include "inject/settings.h"

#include <functional>
#include <map>

#include "api/json_text.h"
#include "api/schema/formats.h"
#include "api/selector.h"
#include "api/yaml_reader.h"
#include "inject/checks.h"

namespace weft::inject {
namespace {

using api::Json;
using Take = std::function<std::string(Settings&, const Json&)>;

Take text(std::string Settings::* member, Check check) {
  return [member, check](Settings& settings, const Json& value) -> std::string {
    if (!value.is_string()) return "must be a text";
    settings.*member = value.get<std::string>();
    return check(settings.*member);
  };
}

std::string any(std::string_view) { return {}; }

std::string pull_policy(std::string_view text) {
  return text == "Always" || text == "IfNotPresent" || text == "Never"
             ? ""
             : "must be Always, IfNotPresent or Never";
}

Take flag(bool Settings::* member) {
  return [member](Settings& settings, const Json& value) -> std::string {
    if (!value.is_boolean()) return "must be true or false";
    settings.*member = value.get<bool>();
    return {};
  };
}

Take selectors(std::vector<Json> Settings::* member) {
  return [member](Settings& settings, const Json& value) -> std::string {
    if (!value.is_array()) return "must be a list of label selectors";
    for (const Json& each : value)
      if (const auto selector = api::LabelSelector::from_json(each); !selector)
        return "must be a list of label selectors: " + selector.error().text;
    settings.*member = value.get<std::vector<Json>>();
    return {};
  };
}

std::string take_policy(Settings& settings, const Json& value) {
  if (value != "enabled" && value != "disabled") return "must be enabled or disabled";
  settings.policy = value == "enabled" ? Settings::Policy::kEnabled : Settings::Policy::kDisabled;
  return {};
}

std::string take_secrets(Settings& settings, const Json& value) {
  if (!value.is_array()) return "must be a list of names";
  for (const Json& each : value) {
    if (!each.is_string()) return "must be a list of names";
    settings.image_pull_secrets.push_back(each.get<std::string>());
  }
  return {};
}

template <class Number>
Take whole(Number Settings::* member, Check check) {
  return [member, check](Settings& settings, const Json& value) -> std::string {
    if (!value.is_number_unsigned()) return "must be a number";
    if (const std::string problem = check(api::json_text(value)); !problem.empty()) return problem;
    settings.*member = value.get<Number>();
    return {};
  };
}

const std::map<std::string, Take, std::less<>>& fields() {
  static const std::map<std::string, Take, std::less<>> kFields = {
      {"image", text(&Settings::image, api::not_empty)},
      {"imagePullPolicy", text(&Settings::image_pull_policy, pull_policy)},
      {"imagePullSecrets", take_secrets},
      {"discoveryAddress", text(&Settings::discovery_address, api::not_empty)},
      {"clusterDomain", text(&Settings::cluster_domain, api::dns_subdomain)},
      {"trustDomain", text(&Settings::trust_domain, any)},
      {"clusterId", text(&Settings::cluster_id, any)},
      {"meshId", text(&Settings::mesh_id, any)},
      {"revision", text(&Settings::revision, api::not_empty)},
      {"rootCertificateConfigMap", text(&Settings::root_certificate_config_map, api::dns_subdomain)},
      {"logLevel", text(&Settings::log_level, level)},
      {"policy", take_policy},
      {"neverInjectSelector", selectors(&Settings::never_inject)},
      {"alwaysInjectSelector", selectors(&Settings::always_inject)},
      {"native", flag(&Settings::native)},
      {"holdApplicationUntilProxyStarts", flag(&Settings::hold_application)},
      {"rewriteAppHTTPProbe", flag(&Settings::rewrite_probes)},
      {"enablePrometheusMerge", flag(&Settings::merge_metrics)},
      {"statusPort", whole(&Settings::status_port, status_port)},
      {"staleEndpointWaitSeconds", whole(&Settings::stale_endpoint_wait, stale_endpoint_wait)},
      {"preStopSleep", flag(&Settings::pre_stop_sleep)},
      {"includeOutboundIPRanges", text(&Settings::include_outbound_ranges, ranges_or_all)},
      {"excludeOutboundIPRanges", text(&Settings::exclude_outbound_ranges, ranges)},
      {"includeInboundPorts", text(&Settings::include_inbound_ports, ports_or_all)},
      {"excludeInboundPorts", text(&Settings::exclude_inbound_ports, ports)},
      {"includeOutboundPorts", text(&Settings::include_outbound_ports, ports)},
      {"excludeOutboundPorts", text(&Settings::exclude_outbound_ports, ports)},
      {"cpuRequest", text(&Settings::cpu_request, api::quantity_text)},
      {"memoryRequest", text(&Settings::memory_request, api::quantity_text)},
      {"cpuLimit", text(&Settings::cpu_limit, api::quantity_text)},
      {"memoryLimit", text(&Settings::memory_limit, api::quantity_text)},
  };
  return kFields;
}

}  // namespace

std::vector<std::string_view> Settings::names() {
  std::vector<std::string_view> all;
  for (const auto& [name, take] : fields()) all.emplace_back(name);
  return all;
}

void Settings::fit_to_cluster(int minor) {
  constexpr int kNativeSidecars = 29, kPreStopSleep = 30;
  cluster_has_native = minor >= kNativeSidecars;
  native = native && cluster_has_native;
  pre_stop_sleep = pre_stop_sleep && minor >= kPreStopSleep;
}

Result<Settings> Settings::parse(std::string_view text, std::string_view file_name) {
  const auto reject = [&](int line, const std::string& what) {
    return fail(
        Error::config(Code::kInvalid, std::string(file_name) + ":" + std::to_string(line) + ": " + what));
  };
  const api::YamlStream stream = api::read_yaml(text);
  if (stream.fault) return reject(stream.fault->line, stream.fault->text);
  Settings settings;
  if (stream.documents.empty()) return settings;
  const api::Document& document = stream.documents.front();
  if (stream.documents.size() > 1 || !document.value.is_object())
    return reject(document.lines.line, "must be one map of settings");
  std::size_t index = 0;
  for (const auto& [name, value] : document.value.items()) {
    const int line = document.lines.children[index++].line;
    const auto found = fields().find(name);
    if (found == fields().end()) return reject(line, name + ": there is no such setting");
    if (const std::string problem = found->second(settings, value); !problem.empty())
      return reject(line, name + ": " + api::json_text(value) + " " + problem);
  }
  return settings;
}

}  // namespace weft::inject

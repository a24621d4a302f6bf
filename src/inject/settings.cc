#include "inject/settings.h"

#include <functional>
#include <map>

#include "api/yaml_reader.h"

namespace weft::inject {
namespace {

using api::Json;
using Take = std::function<std::string(Settings&, const Json&)>;

Take text(std::string Settings::* member) {
  return [member](Settings& settings, const Json& value) -> std::string {
    if (!value.is_string()) return "must be a text";
    settings.*member = value.get<std::string>();
    return {};
  };
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

std::string take_status_port(Settings& settings, const Json& value) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 65535)
    return "must be a port, or 0 for none";
  settings.status_port = value.get<std::uint16_t>();
  return {};
}

const std::map<std::string, Take, std::less<>>& fields() {
  static const std::map<std::string, Take, std::less<>> kFields = {
      {"image", text(&Settings::image)},
      {"imagePullPolicy", text(&Settings::image_pull_policy)},
      {"imagePullSecrets", take_secrets},
      {"discoveryAddress", text(&Settings::discovery_address)},
      {"clusterDomain", text(&Settings::cluster_domain)},
      {"trustDomain", text(&Settings::trust_domain)},
      {"clusterId", text(&Settings::cluster_id)},
      {"meshId", text(&Settings::mesh_id)},
      {"revision", text(&Settings::revision)},
      {"rootCertificateConfigMap", text(&Settings::root_certificate_config_map)},
      {"logLevel", text(&Settings::log_level)},
      {"policy", take_policy},
      {"neverInjectSelector", selectors(&Settings::never_inject)},
      {"alwaysInjectSelector", selectors(&Settings::always_inject)},
      {"native", flag(&Settings::native)},
      {"holdApplicationUntilProxyStarts", flag(&Settings::hold_application)},
      {"rewriteAppHTTPProbe", flag(&Settings::rewrite_probes)},
      {"enablePrometheusMerge", flag(&Settings::merge_metrics)},
      {"ipv6", flag(&Settings::ipv6)},
      {"statusPort", take_status_port},
      {"includeOutboundIPRanges", text(&Settings::include_outbound_ranges)},
      {"excludeOutboundIPRanges", text(&Settings::exclude_outbound_ranges)},
      {"includeInboundPorts", text(&Settings::include_inbound_ports)},
      {"excludeInboundPorts", text(&Settings::exclude_inbound_ports)},
      {"includeOutboundPorts", text(&Settings::include_outbound_ports)},
      {"excludeOutboundPorts", text(&Settings::exclude_outbound_ports)},
      {"cpuRequest", text(&Settings::cpu_request)},
      {"memoryRequest", text(&Settings::memory_request)},
      {"cpuLimit", text(&Settings::cpu_limit)},
      {"memoryLimit", text(&Settings::memory_limit)},
  };
  return kFields;
}

}  // namespace

Result<Settings> Settings::parse(std::string_view text, std::string_view file_name) {
  const auto refuse = [&](int line, const std::string& what) {
    return fail(
        Error::config(Code::kInvalid, std::string(file_name) + ":" + std::to_string(line) + ": " + what));
  };
  const api::YamlStream stream = api::read_yaml(text);
  if (stream.fault) return refuse(stream.fault->line, stream.fault->text);
  Settings settings;
  if (stream.documents.empty()) return settings;
  const api::Document& document = stream.documents.front();
  if (stream.documents.size() > 1 || !document.value.is_object())
    return refuse(document.lines.line, "must be one map of settings");
  std::size_t index = 0;
  for (const auto& [name, value] : document.value.items()) {
    const int line = document.lines.children[index++].line;
    const auto found = fields().find(name);
    if (found == fields().end()) return refuse(line, name + ": there is no such setting");
    if (const std::string problem = found->second(settings, value); !problem.empty())
      return refuse(line, name + ": " + value.dump() + " " + problem);
  }
  return settings;
}

}  // namespace weft::inject

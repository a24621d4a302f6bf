#include "inject/pod_options.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <functional>
#include <optional>

#include "api/schema/formats.h"
#include "api/yaml_reader.h"
#include "base/strings.h"

namespace weft::inject {
namespace {

using api::Json;

/// The end of a sentence that begins with the value; empty when it is right.
using Check = std::string (*)(std::string_view);

std::optional<int> number(std::string_view text, int least, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) return {};
  return value;
}

bool is_range(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos) return false;
  const std::string address(text.substr(0, slash));
  unsigned char bytes[16];
  const bool v4 = inet_pton(AF_INET, address.c_str(), bytes) == 1;
  const bool v6 = inet_pton(AF_INET6, address.c_str(), bytes) == 1;
  return (v4 || v6) && number(text.substr(slash + 1), 0, v4 ? 32 : 128);
}

template <class Right>
std::string each(std::string_view list, Right right, std::string_view rule) {
  if (list.empty()) return {};
  for (const std::string_view part : split(list, ','))
    if (!right(trim(part))) return std::string(rule) + "; \"" + std::string(part) + "\" is not";
  return {};
}

std::string ranges(std::string_view text) {
  return each(text, is_range, "must be a list of ranges such as 10.0.0.0/8,fd00::/8");
}
std::string ranges_or_all(std::string_view text) { return text == "*" ? "" : ranges(text); }
std::string ports(std::string_view text) {
  return each(
      text, [](std::string_view part) { return number(part, 0, 65535).has_value(); },
      "must be a list of ports such as 80,8080");
}
std::string ports_or_all(std::string_view text) { return text == "*" ? "" : ports(text); }
std::string interfaces(std::string_view text) {
  return each(
      text,
      [](std::string_view part) {
        return !part.empty() && part.size() < 16 && part.find_first_of("/ \t\n") == part.npos;
      },
      "must be a list of interfaces such as eth1,net2");
}
std::string boolean(std::string_view text) {
  return text == "true" || text == "false" ? "" : "must be \"true\" or \"false\"";
}
std::string level(std::string_view text) {
  for (const std::string_view known : {"trace", "debug", "info", "warning", "error", "critical", "off"})
    if (text == known) return {};
  return "must be trace, debug, info, warning, error, critical or off";
}
std::string port(std::string_view text) {
  return number(text, 0, 65535) ? "" : "must be a port, or 0 for none";
}
std::string seconds(std::string_view text) {
  return number(text, 0, 100000) ? "" : "must be a number without a unit";
}
std::string interception(std::string_view text) {
  if (text == "REDIRECT" || text == "NONE") return {};
  return text == "TPROXY" ? "is not supported by weft yet; use REDIRECT" : "must be REDIRECT or NONE";
}
std::string any(std::string_view) { return {}; }

/// Reads annotations one by one; the first wrong one ends it.
class Reader {
 public:
  Reader(const Json& metadata) {
    const auto found = metadata.find("annotations");
    if (found != metadata.end() && found->is_object()) annotations_ = &*found;
  }

  /// The value, if the annotation is there and right.
  std::optional<std::string> take(std::string_view key, Check check) {
    if (!annotations_ || !error_.empty()) return {};
    const auto found = annotations_->find(key);
    if (found == annotations_->end() || found->is_null()) return {};
    if (!found->is_string()) return refuse(key, found->dump(), "must be a text: write quotes around it");
    auto value = found->get<std::string>();
    if (const std::string problem = check(value); !problem.empty())
      return refuse(key, "\"" + value + "\"", problem);
    return value;
  }
  void text(std::string_view key, Check check, std::string& into) {
    if (auto value = take(key, check)) into = *value;
  }
  void flag(std::string_view key, bool& into) {
    if (const auto value = take(key, boolean)) into = *value == "true";
  }
  template <class Number>
  void count(std::string_view key, Check check, Number& into) {
    if (const auto value = take(key, check)) into = static_cast<Number>(*number(*value, 0, 1'000'000));
  }
  std::nullopt_t refuse(std::string_view key, const std::string& value, const std::string& problem) {
    if (error_.empty()) error_ = "annotation " + std::string(key) + ": " + value + " " + problem;
    return std::nullopt;
  }
  const std::string& error() const { return error_; }

 private:
  const Json* annotations_ = nullptr;
  std::string error_;
};

void read_capture(Reader& reader, PodOptions& options) {
  if (const auto mode = reader.take("sidecar.istio.io/interceptionMode", interception))
    options.interception =
        *mode == "NONE" ? PodOptions::Interception::kNone : PodOptions::Interception::kRedirect;
  const auto traffic = [&](std::string_view name, Check check, std::string& into) {
    reader.text("traffic.sidecar.istio.io/" + std::string(name), check, into);
  };
  traffic("includeOutboundIPRanges", ranges_or_all, options.include_outbound_ranges);
  traffic("excludeOutboundIPRanges", ranges, options.exclude_outbound_ranges);
  traffic("includeInboundPorts", ports_or_all, options.include_inbound_ports);
  traffic("excludeInboundPorts", ports, options.exclude_inbound_ports);
  traffic("includeOutboundPorts", ports, options.include_outbound_ports);
  traffic("excludeOutboundPorts", ports, options.exclude_outbound_ports);
  traffic("excludeInterfaces", interfaces, options.exclude_interfaces);
  traffic("kubevirtInterfaces", interfaces, options.virtual_interfaces);
  reader.text("istio.io/reroute-virtual-interfaces", interfaces, options.virtual_interfaces);
}

void read_probes(Reader& reader, PodOptions& options) {
  reader.flag("sidecar.istio.io/rewriteAppHTTPProbers", options.rewrite_probes);
  reader.flag("prometheus.istio.io/merge-metrics", options.merge_metrics);
  reader.count("status.sidecar.istio.io/port", port, options.status_port);
  const std::string readiness = "readiness.status.sidecar.istio.io/";
  reader.count(readiness + "initialDelaySeconds", seconds, options.readiness_delay);
  reader.count(readiness + "periodSeconds", seconds, options.readiness_period);
  reader.count(readiness + "failureThreshold", seconds, options.readiness_failures);
}

/// Any one of the four replaces all that the mesh asks for.
void read_resources(Reader& reader, const Settings& settings, PodOptions& options) {
  struct Quantity {
    const char* annotation;
    const char* group;
    const char* resource;
  };
  static constexpr std::array<Quantity, 4> kQuantities = {
      {{"sidecar.istio.io/proxyCPU", "requests", "cpu"},
       {"sidecar.istio.io/proxyMemory", "requests", "memory"},
       {"sidecar.istio.io/proxyCPULimit", "limits", "cpu"},
       {"sidecar.istio.io/proxyMemoryLimit", "limits", "memory"}}};
  Json asked = Json::object();
  for (const Quantity& each : kQuantities)
    if (const auto value = reader.take(each.annotation, api::quantity_text))
      asked[each.group][each.resource] = *value;
  if (asked.empty())
    asked = {{"requests", {{"cpu", settings.cpu_request}, {"memory", settings.memory_request}}},
             {"limits", {{"cpu", settings.cpu_limit}, {"memory", settings.memory_limit}}}};
  options.resources = std::move(asked);
}

/// A map of volumes or mounts by name, as a list.
void read_volumes(Reader& reader, std::string_view key, Json& into) {
  const auto text = reader.take(key, any);
  if (!text) return;
  const Json map = Json::parse(*text, nullptr, false);
  if (!map.is_object()) {
    reader.refuse(key, "\"" + std::string(cut(*text, 60)) + "\"", "must be a JSON map by name");
    return;
  }
  for (const auto& [name, value] : map.items()) {
    Json named = {{"name", name}};
    named.update(value);
    into.push_back(std::move(named));
  }
}

constexpr std::string_view kConfig = "proxy.istio.io/config";

void read_metadata(Reader& reader, const Json& value, PodOptions& options) {
  if (!value.is_object()) return (void)reader.refuse(kConfig, "proxyMetadata", "must be a map of texts");
  for (const auto& [name, each] : value.items())
    options.metadata[name] = each.is_string() ? each.get<std::string>() : each.dump();
  const auto dns = options.metadata.find("ISTIO_META_DNS_CAPTURE");
  options.capture_dns = dns != options.metadata.end() && dns->second == "true";
}

void read_proxy_config(Reader& reader, PodOptions& options) {
  const auto text = reader.take(kConfig, any);
  if (!text) return;
  api::YamlStream stream = api::read_yaml(*text);
  if (stream.fault)
    return (void)reader.refuse(kConfig, "line " + std::to_string(stream.fault->line), stream.fault->text);
  if (stream.documents.empty()) return;
  Json& config = stream.documents.front().value;
  if (!config.is_object()) return (void)reader.refuse(kConfig, config.dump(), "must be a map");
  for (const auto& [name, value] : config.items()) {
    if (name == "concurrency") {
      if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 256)
        return (void)reader.refuse(kConfig, "concurrency: " + value.dump(), "must be a number up to 256");
    } else if (name == "holdApplicationUntilProxyStarts") {
      if (!value.is_boolean())
        return (void)reader.refuse(kConfig, name + ": " + value.dump(), "must be true or false");
      options.hold_application = value.get<bool>();
    } else if (name == "proxyMetadata") {
      read_metadata(reader, value, options);
    } else if (name == "drainDuration" || name == "terminationDrainDuration") {
      if (const std::string problem =
              api::duration_or_zero(value.is_string() ? value.get<std::string>() : "-");
          !problem.empty())
        return (void)reader.refuse(kConfig, name + ": " + value.dump(), problem);
    } else {
      return (void)reader.refuse(kConfig, name, "is not supported by weft; remove it");
    }
  }
  options.proxy_config = std::move(config);
}

PodOptions from_settings(const Settings& settings) {
  PodOptions options;
  options.include_outbound_ranges = settings.include_outbound_ranges;
  options.exclude_outbound_ranges = settings.exclude_outbound_ranges;
  options.include_inbound_ports = settings.include_inbound_ports;
  options.exclude_inbound_ports = settings.exclude_inbound_ports;
  options.include_outbound_ports = settings.include_outbound_ports;
  options.exclude_outbound_ports = settings.exclude_outbound_ports;
  options.status_port = settings.status_port;
  options.image = settings.image;
  options.log_level = settings.log_level;
  options.native = settings.native;
  options.hold_application = settings.hold_application;
  options.rewrite_probes = settings.rewrite_probes;
  options.merge_metrics = settings.merge_metrics;
  return options;
}

}  // namespace

Result<PodOptions> PodOptions::read(const Json& metadata, const Settings& settings) {
  PodOptions options = from_settings(settings);
  Reader reader(metadata);
  read_capture(reader, options);
  read_probes(reader, options);
  read_resources(reader, settings, options);
  reader.text("sidecar.istio.io/proxyImage", api::not_empty, options.image);
  reader.text("sidecar.istio.io/logLevel", level, options.log_level);
  reader.flag("sidecar.istio.io/nativeSidecar", options.native);
  read_volumes(reader, "sidecar.istio.io/userVolume", options.user_volumes);
  read_volumes(reader, "sidecar.istio.io/userVolumeMount", options.user_mounts);
  read_proxy_config(reader, options);
  for (const std::string_view key :
       {"sidecar.istio.io/bootstrapOverride", "sidecar.istio.io/capNetBindService"})
    if (const auto value = reader.take(key, any))
      reader.refuse(key, "\"" + *value + "\"", "is not supported by weft; remove it");
  if (!reader.error().empty()) return fail(Error::config(Code::kInvalid, reader.error()));
  return options;
}

}  // namespace weft::inject

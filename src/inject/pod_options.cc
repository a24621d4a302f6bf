#include "inject/pod_options.h"

#include <algorithm>
#include <array>
#include <optional>

#include "api/json_text.h"
#include "api/schema/formats.h"
#include "api/yaml_reader.h"
#include "base/strings.h"
#include "inject/checks.h"
#include "inject/json_access.h"
#include "inject/names.h"

namespace weft::inject {
namespace {

using api::Json;

std::string interception(std::string_view text) {
  if (text == "REDIRECT" || text == "NONE") return {};
  return text == "TPROXY" ? "is not supported by weft yet; use REDIRECT" : "must be REDIRECT or NONE";
}
std::string templates(std::string_view text) {
  return text == "sidecar" || text == "gateway" ? ""
                                                : "must be sidecar or gateway; weft has no other template";
}
std::string any(std::string_view) { return {}; }
/// Annotations of Istio that ask for something weft does not do, and without which a pod would not be what
/// its author means.
std::string none(std::string_view) { return "is not supported by weft; remove it"; }
std::string not_wanted(std::string_view text) { return text == "false" ? "" : none(text); }

/// Reads annotations one by one; the first wrong one ends it.
class Reader {
 public:
  explicit Reader(const Json& metadata) : annotations_(json::at(metadata, "annotations")) {}

  /// The value, if the annotation is there and right.
  std::optional<std::string> take(std::string_view key, Check check) {
    known_.push_back(key);
    if (!error_.empty()) return {};
    const Json& found = json::at(annotations_, key);
    if (found.is_null()) return {};
    if (!found.is_string())
      return reject(key, api::json_text(found), "must be a text: write quotes around it");
    auto value = found.get<std::string>();
    if (const std::string problem = check(value); !problem.empty())
      return reject(key, "\"" + value + "\"", problem);
    return value;
  }
  void text(std::string_view key, Check check, std::string& into) {
    if (auto value = take(key, check)) into = *value;
  }
  void list(std::string_view key, Check check, std::string& into) {
    if (const auto value = take(key, check)) into = packed(*value);
  }
  void flag(std::string_view key, bool& into) {
    if (const auto value = take(key, boolean)) into = *value == "true";
  }
  template <class Number>
  bool count(std::string_view key, Check check, Number& into) {
    const auto value = take(key, check);
    if (value) into = static_cast<Number>(number(*value, 0, 1'000'000).value_or(0));
    return value.has_value();
  }
  std::nullopt_t reject(std::string_view key, std::string_view value, const std::string& problem) {
    constexpr std::size_t kShown = 200;
    if (error_.empty())
      error_ = "annotation " + std::string(key) + ": " + std::string(cut(value, kShown)) + " " + problem;
    return std::nullopt;
  }
  void warn(std::string_view key, std::string_view problem) {
    warnings_.push_back("annotation " + std::string(key) + ": " + std::string(problem));
  }
  /// Warns of annotations that look like ours and that weft does not know.
  void warn_of_unknown();

  const std::string& error() const { return error_; }
  std::vector<std::string>& warnings() { return warnings_; }

 private:
  const Json& annotations_;
  std::vector<std::string_view> known_;
  std::string error_;
  std::vector<std::string> warnings_;
};

void Reader::warn_of_unknown() {
  for (const char* own : {"sidecar.istio.io/inject", kStatusAnnotation, kOverridesAnnotation})
    known_.push_back(own);
  if (!annotations_.is_object()) return;
  for (const auto& [name, value] : annotations_.items()) {
    const std::string_view key = name;
    const std::string_view group = key.substr(0, key.find('/'));
    const bool ours = group == "sidecar.istio.io" || group.ends_with(".sidecar.istio.io") ||
                      group == "inject.istio.io" || group == "proxy.istio.io" ||
                      group == "prometheus.istio.io";
    if (!ours || std::ranges::find(known_, key) != known_.end()) continue;
    const std::string_view meant = nearest(key, known_);
    warn(key, "is not known to weft and has no effect" +
                  (meant.empty() ? "" : "; is it " + std::string(meant) + "?"));
  }
}

void read_capture(Reader& reader, PodOptions& options) {
  constexpr std::string_view kMode = "sidecar.istio.io/interceptionMode";
  if (const auto mode = reader.take(kMode, interception)) {
    options.interception =
        *mode == "NONE" ? PodOptions::Interception::kNone : PodOptions::Interception::kRedirect;
    if (*mode == "NONE")
      reader.warn(
          kMode,
          "NONE leads nothing to the sidecar, neither in nor out: it runs, and no rule holds for this pod");
  }
  const auto traffic = [&](std::string_view name, Check check, std::string& into) {
    reader.list(name, check, into);
  };
  traffic("traffic.sidecar.istio.io/includeOutboundIPRanges", ranges_or_all, options.include_outbound_ranges);
  traffic("traffic.sidecar.istio.io/excludeOutboundIPRanges", ranges, options.exclude_outbound_ranges);
  traffic("traffic.sidecar.istio.io/includeInboundPorts", ports_or_all, options.include_inbound_ports);
  traffic("traffic.sidecar.istio.io/excludeInboundPorts", ports, options.exclude_inbound_ports);
  traffic("traffic.sidecar.istio.io/includeOutboundPorts", ports, options.include_outbound_ports);
  traffic("traffic.sidecar.istio.io/excludeOutboundPorts", ports, options.exclude_outbound_ports);
  traffic("traffic.sidecar.istio.io/excludeInterfaces", interfaces, options.exclude_interfaces);
  traffic("traffic.sidecar.istio.io/kubevirtInterfaces", interfaces, options.virtual_interfaces);
  reader.list("istio.io/reroute-virtual-interfaces", interfaces, options.virtual_interfaces);
}

void read_probes(Reader& reader, PodOptions& options) {
  reader.flag("sidecar.istio.io/rewriteAppHTTPProbers", options.rewrite_probes);
  reader.flag("prometheus.istio.io/merge-metrics", options.merge_metrics);
  reader.count("status.sidecar.istio.io/port", status_port, options.status_port);
  reader.count("readiness.status.sidecar.istio.io/initialDelaySeconds", seconds, options.readiness_delay);
  reader.count("readiness.status.sidecar.istio.io/periodSeconds", count, options.readiness_period);
  reader.count("readiness.status.sidecar.istio.io/failureThreshold", count, options.readiness_failures);
}

/// The API server would reject the pod, and not say where it comes from.
void check_limit(Reader& reader, const Json& asked, const char* request, const char* limit,
                 const char* resource) {
  const std::string wanted = json::string(json::at(asked, "requests"), resource);
  const std::string max = json::string(json::at(asked, "limits"), resource);
  if (!wanted.empty() && !max.empty() && quantity(wanted) > quantity(max))
    reader.reject(request, "\"" + wanted + "\"",
                  "must not be more than " + std::string(limit) + ", \"" + max + "\"");
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
  check_limit(reader, asked, kQuantities[0].annotation, kQuantities[2].annotation, "cpu");
  check_limit(reader, asked, kQuantities[1].annotation, kQuantities[3].annotation, "memory");
  if (asked.empty())
    asked = {{"requests", {{"cpu", settings.cpu_request}, {"memory", settings.memory_request}}},
             {"limits", {{"cpu", settings.cpu_limit}, {"memory", settings.memory_limit}}}};
  options.resources = std::move(asked);
}

/// A map of volumes or mounts by name, as a list.
void read_volumes(Reader& reader, std::string_view key, Json& into) {
  const auto text = reader.take(key, any);
  if (!text) return;
  const Json map = api::parse_json(*text);
  if (!map.is_object()) {
    reader.reject(key, "\"" + std::string(cut(*text, 60)) + "\"", "must be a JSON map by name");
    return;
  }
  for (const auto& [name, value] : map.items()) {
    if (!value.is_object()) {
      reader.reject(key, name + ": " + api::json_text(value), "must be a map");
      return;
    }
    Json named = {{"name", name}};
    named.update(value);
    into.push_back(std::move(named));
  }
}

constexpr std::string_view kConfig = "proxy.istio.io/config";

constexpr std::string_view kMetadata = "ISTIO_META_";
constexpr const char* kCaptureDns = "ISTIO_META_DNS_CAPTURE";
constexpr const char* kAllocateAddresses = "ISTIO_META_DNS_AUTO_ALLOCATE";

std::string metadata_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : api::json_text(value);
}

void read_metadata(Reader& reader, const Json& value, PodOptions& options) {
  for (const auto& [name, each] : value.items()) options.metadata[name] = metadata_text(each);
  const auto is_true = [&](const char* name) {
    const auto found = options.metadata.find(name);
    return found != options.metadata.end() && found->second == "true";
  };
  options.capture_dns = is_true(kCaptureDns);
  for (const auto& [name, each] : options.metadata) {
    // What asks for nothing is left in peace.
    const bool asks = name.starts_with(kMetadata) && name != kCaptureDns && each != "false" && !each.empty();
    if (!asks) continue;
    reader.warn(kConfig, "proxyMetadata: " + name +
                             (name == kAllocateAddresses ? " is not done by weft and has no effect"
                                                         : " is passed on, and nothing of weft reads it"));
  }
}

std::string metadata_problem(const Json& value) {
  if (!value.is_object()) return "must be a map of texts";
  for (const auto& [name, each] : value.items()) {
    if (each.is_structured()) return "must be a map of texts";
    if (const std::string problem = api::environment_name(name); !problem.empty())
      return "must have names of variables; \"" + name + "\" " + problem;
    // A value that the sidecar and the capture rules would read in two ways leaves a pod without names.
    if (const std::string text = metadata_text(each); name == kCaptureDns && !boolean(text).empty())
      return std::string("must say true or false of ") + kCaptureDns;
  }
  return {};
}

std::string config_problem(const std::string& name, const Json& value) {
  if (name == "concurrency")
    return value.is_number_unsigned() && value.get<std::uint64_t>() <= 256 ? ""
                                                                           : "must be a number up to 256";
  if (name == "holdApplicationUntilProxyStarts") return value.is_boolean() ? "" : "must be true or false";
  if (name == "proxyMetadata") return metadata_problem(value);
  if (name == "drainDuration" || name == "terminationDrainDuration")
    return api::duration_or_zero(value.is_string() ? value.get<std::string>() : "-");
  return "is not supported by weft; remove it";
}

void read_proxy_config(Reader& reader, PodOptions& options) {
  const auto text = reader.take(kConfig, any);
  if (!text) return;
  api::YamlStream stream = api::read_yaml(*text);
  if (stream.fault)
    return (void)reader.reject(kConfig, "line " + std::to_string(stream.fault->line), stream.fault->text);
  if (stream.documents.empty()) return;
  Json& config = stream.documents.front().value;
  if (!config.is_object()) return (void)reader.reject(kConfig, api::json_text(config), "must be a map");
  for (const auto& [name, value] : config.items()) {
    if (const std::string problem = config_problem(name, value); !problem.empty())
      return (void)reader.reject(kConfig, name + ": " + api::json_text(value), problem);
    if (name == "holdApplicationUntilProxyStarts") options.hold_application = value.get<bool>();
    if (name == "proxyMetadata") read_metadata(reader, value, options);
  }
  options.proxy_config = std::move(config);
}

void read_form(Reader& reader, PodOptions& options) {
  if (const auto name = reader.take("inject.istio.io/templates", templates); name == "gateway") {
    options.form = PodOptions::Template::kGateway;
    options.native = false;
    options.hold_application = false;
    options.interception = PodOptions::Interception::kNone;
    options.stale_endpoint_wait = 0;
  }
}

/// An API server that does not know restartPolicy of init containers drops it, and the pod stays in Init.
void read_native(Reader& reader, const Settings& settings, PodOptions& options) {
  constexpr std::string_view kNative = "sidecar.istio.io/nativeSidecar";
  reader.flag(kNative, options.native);
  if (!options.native || settings.cluster_has_native) return;
  reader.warn(kNative, "has no effect before Kubernetes 1.29");
  options.native = false;
}

/// `asked`: by the pod, not by the mesh.
void read_wait(Reader& reader, const Settings& settings, PodOptions& options) {
  const bool asked =
      reader.count(kStaleEndpointWaitAnnotation, stale_endpoint_wait, options.stale_endpoint_wait);
  if (settings.pre_stop_sleep || options.stale_endpoint_wait == 0) return;
  if (asked) reader.warn(kStaleEndpointWaitAnnotation, "has no effect before Kubernetes 1.30");
  options.stale_endpoint_wait = 0;
}

void read_what_is_not_done(Reader& reader) {
  reader.take("sidecar.istio.io/bootstrapOverride", none);
  reader.take("sidecar.istio.io/capNetBindService", not_wanted);
  reader.take("prometheus.istio.io/scrape-targets", none);
  reader.take("prometheus.istio.io/secure-port", none);
  for (const std::string_view key :
       {"sidecar.istio.io/proxyImageType", "sidecar.istio.io/componentLogLevel",
        "sidecar.istio.io/agentLogLevel", "sidecar.istio.io/statsInclusionPrefixes",
        "sidecar.istio.io/statsInclusionSuffixes", "sidecar.istio.io/statsInclusionRegexps",
        "sidecar.istio.io/extraStatTags", "sidecar.istio.io/statsHistogramBuckets"})
    if (reader.take(key, any)) reader.warn(key, "is not done by weft and has no effect");
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
  options.stale_endpoint_wait = settings.stale_endpoint_wait;
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
  read_native(reader, settings, options);
  read_volumes(reader, "sidecar.istio.io/userVolume", options.user_volumes);
  read_volumes(reader, "sidecar.istio.io/userVolumeMount", options.user_mounts);
  read_proxy_config(reader, options);
  read_wait(reader, settings, options);
  read_form(reader, options);
  read_what_is_not_done(reader);
  reader.warn_of_unknown();
  if (!reader.error().empty()) return fail(Error::config(Code::kInvalid, reader.error()));
  options.warnings = std::move(reader.warnings());
  return options;
}

}  // namespace weft::inject

#include "inject/injector.h"

#include <algorithm>
#include <iterator>

#include "api/json_room.h"
#include "api/json_text.h"
#include "base/strings.h"
#include "inject/decision.h"
#include "inject/json_access.h"
#include "inject/names.h"
#include "inject/own_containers.h"
#include "inject/previous_injection.h"
#include "inject/probes.h"
#include "inject/stale_endpoints.h"
#include "inject/warnings.h"

namespace weft::inject {
namespace {

using api::Json;
constexpr std::size_t kMaxLabel = 63;
// Names are looked for in lists and maps, for each of other names, and a webhook's patch is found by
// comparing.
constexpr std::size_t kMaxEntries = 1000;
constexpr std::size_t kMaxAdded = 100;  // to one list or map, by a previous injection

/// What an injection adds besides containers and volumes, for the status annotation.
struct Added {
  Json labels = Json::array(), annotations = Json::array();
  Json secrets = Json::array(), controls = Json::array();
  Json waits = Json::object(), port_names = Json::object();
};

bool has_more_entries(const Json& value, std::size_t max) {
  if (!value.is_structured()) return false;
  return value.size() > max ||
         std::ranges::any_of(value, [max](const Json& each) { return has_more_entries(each, max); });
}

Result<void> check_size(const Json& metadata, const Json& spec, std::size_t max) {
  if (!has_more_entries(metadata, max) && !has_more_entries(spec, max)) return {};
  return fail(Error::config(Code::kTooLarge,
                            "the pod has a list or map of more than 1,000 entries, which none needs"));
}

/// A text member of a map inside `metadata`; empty when it is not there.
std::string text_in(const Json& metadata, const char* map, std::string_view key) {
  return json::string(json::at(metadata, map), key);
}

/// Notes in `added` what was not there.
void set(Json& metadata, const char* map, const std::string& key, const std::string& value, Json& added) {
  Json& into = metadata[map];
  if (!into.contains(key)) added.push_back(key);
  into[key] = value;
}

void set_if_absent(Json& metadata, const char* map, const std::string& key, const std::string& value,
                   Json& added) {
  if (!json::at(metadata, map).contains(key)) set(metadata, map, key, value, added);
}

std::string first_of(const Json& metadata, std::initializer_list<const char*> labels,
                     const std::string& otherwise) {
  for (const char* label : labels)
    if (std::string value = text_in(metadata, "labels", label); !value.empty()) return value;
  return otherwise;
}

std::string label_value(std::string text) {
  text.resize(std::min(text.size(), kMaxLabel));
  constexpr std::string_view kEdges = "-_.";
  while (!text.empty() && kEdges.find(text.back()) != kEdges.npos) text.pop_back();
  const std::size_t start = text.find_first_not_of(kEdges);
  return start == text.npos ? std::string() : text.substr(start);
}

void add_labels(Json& metadata, const Owner& owner, Json& added) {
  const std::string name = first_of(metadata, {"app.kubernetes.io/name", "app"}, owner.name);
  if (!name.empty())
    set_if_absent(metadata, "labels", "service.istio.io/canonical-name", label_value(name), added);
  set_if_absent(metadata, "labels", "service.istio.io/canonical-revision",
                label_value(first_of(metadata, {"app.kubernetes.io/version", "version"}, "latest")), added);
}

/// Sends Prometheus to the sidecar, which adds the application's metrics to its own. Returns what the
/// sidecar has to know of the application's; null when nothing changes hands.
Result<Json> merge_metrics(Json& metadata, const PodOptions& options, Json& added) {
  const std::string prefix = "prometheus.io/";
  if (!options.merge_metrics || options.status_port == 0 ||
      text_in(metadata, "annotations", prefix + "scrape") == "false")
    return Json(nullptr);
  Json original = nullptr;
  for (const char* name : {"scrape", "port", "path"})
    if (const std::string value = text_in(metadata, "annotations", prefix + name); !value.empty())
      original[name] = value;
  const std::string port = json::string(original, "port");
  for (const char* own : {"15000", "15001", "15004", "15006", "15008", "15020", "15021", "15053", "15090"})
    if (port == own)
      return fail(Error::config(Code::kInvalid, "annotation prometheus.io/port: \"" + port +
                                                    "\" is a port of the sidecar; name the application's"));
  set(metadata, "annotations", prefix + "scrape", "true", added);
  set(metadata, "annotations", prefix + "port", std::to_string(options.status_port), added);
  set(metadata, "annotations", prefix + "path", "/stats/prometheus", added);
  return original;
}

Json& list_at(Json& object, const char* name) {
  Json& list = object[name];
  if (!list.is_array()) list = Json::array();
  return list;
}

bool has_named(const Json& list, const Json& name) {
  return std::ranges::any_of(list, [&](const Json& each) { return json::at(each, "name") == name; });
}

void place(Json& spec, Sidecar& sidecar, const PodOptions& options) {
  const auto insert = [&](const char* list, bool front, Json& container) {
    if (container.is_null()) return;
    Json& into = list_at(spec, list);
    into.insert(front ? into.begin() : into.end(), std::move(container));
  };
  if (options.native) {
    insert("initContainers", true, sidecar.proxy_container);
    insert("initContainers", true, sidecar.init_container);
  } else {
    insert("initContainers", false, sidecar.init_container);
    insert("containers", options.hold_application, sidecar.proxy_container);
  }
}

Result<void> add_volumes(Json& spec, const Sidecar& sidecar) {
  for (const Json& volume : sidecar.volumes) {
    if (has_named(json::list(spec, "volumes"), volume["name"]))
      return fail(Error::config(Code::kInvalid, "spec.volumes: " + api::json_text(volume["name"]) +
                                                    " is a volume of the sidecar's too; rename the pod's"));
    list_at(spec, "volumes").push_back(volume);
  }
  return {};
}

/// Secrets for the image, and a gateway's right to listen on low ports without being root.
void add_rights(Json& spec, const PodOptions& options, const Settings& settings, Added& added) {
  for (const std::string& each : settings.image_pull_secrets) {
    if (has_named(json::list(spec, "imagePullSecrets"), each)) continue;
    list_at(spec, "imagePullSecrets").push_back({{"name", each}});
    added.secrets.push_back(each);
  }
  if (options.form != PodOptions::Template::kGateway) return;
  Json& context = spec["securityContext"];
  if (has_named(json::list(context, "sysctls"), kLowPortsControl)) return;
  list_at(context, "sysctls").push_back({{"name", kLowPortsControl}, {"value", "0"}});
  added.controls.push_back(kLowPortsControl);
}

Json names_of(const Json& items) {
  Json names = Json::array();
  for (const Json& each : items) names.push_back(json::string(each, "name"));
  return names;
}

/// What is added, for tools and for the next injection. The first five members are Istio's.
std::string status_of(const Sidecar& sidecar, const PodOptions& options, const Settings& settings,
                      const Added& added) {
  Json init = Json::array(), containers = Json::array();
  if (options.interception == PodOptions::Interception::kRedirect) init.push_back(kInitContainer);
  (options.native ? init : containers).push_back(kProxyContainer);
  Json status = {{"initContainers", init},
                 {"containers", containers},
                 {"volumes", names_of(sidecar.volumes)},
                 {"imagePullSecrets", added.secrets},
                 {"revision", settings.revision},
                 {"labels", added.labels},
                 {"annotations", added.annotations}};
  if (!added.waits.empty()) status["preStop"] = added.waits;
  if (!added.port_names.empty()) status["portNames"] = added.port_names;
  if (!added.controls.empty()) status["sysctls"] = added.controls;
  return api::json_text(status);
}

/// A sidecar that runs as another user is told apart by that one.
void follow_user(Sidecar& sidecar, const Json& own_proxy) {
  const Json& user = json::at(json::at(own_proxy, "securityContext"), "runAsUser");
  if (!user.is_number_unsigned() || user == 0 || sidecar.init_container.is_null()) return;
  Json& arguments = sidecar.init_container["args"];
  for (std::size_t i = 0; i + 1 < arguments.size(); ++i)
    if (arguments[i] == "-u") arguments[i + 1] = api::json_text(user);
}

std::unexpected<Error> wrong(const std::string& what) { return fail(Error::config(Code::kInvalid, what)); }

Result<void> check_items(const Json& spec, const char* list) {
  const Json& items = json::at(spec, list);
  if (items.is_null()) return {};
  const std::string path = std::string("spec.") + list;
  if (!items.is_array()) return wrong(path + ": must be a list");
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string item = path + "[" + std::to_string(i) + "]";
    if (!items[i].is_object()) return wrong(item + ": must be a map");
    if (json::string(items[i], "name").empty()) return wrong(item + ".name: must be a text");
    const Json& lifecycle = json::at(items[i], "lifecycle");
    if (!lifecycle.is_null() && !lifecycle.is_object()) return wrong(item + ".lifecycle: must be a map");
  }
  return {};
}

Result<void> check_shape(const Json& pod) {
  const Json& spec = json::at(pod, "spec");
  if (!spec.is_object()) return wrong("spec: must be a map");
  const Json& containers = json::at(spec, "containers");
  if (!containers.is_array() || containers.empty())
    return wrong("spec.containers: must be a list of at least one container");
  for (const char* list : {"initContainers", "containers", "volumes", "imagePullSecrets"})
    WEFT_CHECK(check_items(spec, list));
  const Json& context = json::at(spec, "securityContext");
  if (!context.is_null() && !context.is_object()) return wrong("spec.securityContext: must be a map");
  const Json& metadata = json::at(pod, "metadata");
  if (!metadata.is_null() && !metadata.is_object()) return wrong("metadata: must be a map");
  for (const char* map : {"labels", "annotations"})
    if (const Json& found = json::at(metadata, map); !found.is_null() && !found.is_object())
      return wrong(std::string("metadata.") + map + ": must be a map");
  return {};
}

/// What ends by itself has no callers to wait for, and a wait must leave time to end.
bool may_wait(const Json& spec, const Owner& owner, const PodOptions& options) {
  constexpr int kUsualGracePeriod = 30;
  const Json& period = json::at(spec, "terminationGracePeriodSeconds");
  const std::int64_t grace = period.is_number_integer() ? period.get<std::int64_t>() : kUsualGracePeriod;
  return options.stale_endpoint_wait > 0 && owner.kind != "Job" && owner.kind != "CronJob" &&
         grace > options.stale_endpoint_wait;
}

void add_annotations(Json& metadata, const std::string& first, const Settings& settings, Json& added) {
  set_if_absent(metadata, "annotations", "istio.io/rev", settings.revision, added);
  if (first.empty()) return;
  set_if_absent(metadata, "annotations", "kubectl.kubernetes.io/default-container", first, added);
  set_if_absent(metadata, "annotations", "kubectl.kubernetes.io/default-logs-container", first, added);
}

Result<void> inject(Json& metadata, Json& spec, const Owner& owner, const Settings& settings,
                    const PodOptions& options, std::vector<std::string>& warnings) {
  constexpr std::size_t kNewMembers = 6;
  api::reserve_members(spec, kNewMembers);
  api::reserve_members(metadata, kNewMembers);
  Added added;
  const OwnContainers own = take_own_containers(spec);
  const Json& containers = json::list(spec, "containers");
  if (containers.empty() && options.form == PodOptions::Template::kSidecar)
    return wrong("spec.containers: there is no container but the sidecar");
  const std::string first = containers.empty() ? "" : json::string(containers[0], "name");
  if (may_wait(spec, owner, options))
    added.waits = wait_for_stale_endpoints(spec, options.stale_endpoint_wait);
  RewrittenProbes probes;
  if (options.rewrite_probes && options.status_port != 0)
    probes = rewrite_probes(spec, options.status_port, options.native);
  added.port_names = std::move(probes.port_names);
  std::ranges::move(probes.warnings, std::back_inserter(warnings));
  add_labels(metadata, owner, added.labels);
  WEFT_TRY(const Json prometheus, merge_metrics(metadata, options, added.annotations));
  Sidecar sidecar = make_sidecar(spec, owner, options, settings, probes.originals, prometheus);
  merge_container(sidecar.proxy_container, own.proxy);
  if (!sidecar.init_container.is_null()) merge_container(sidecar.init_container, own.init);
  follow_user(sidecar, own.proxy);
  place(spec, sidecar, options);
  WEFT_CHECK(add_volumes(spec, sidecar));
  add_rights(spec, options, settings, added);
  add_annotations(metadata, first, settings, added.annotations);
  metadata["annotations"][kStatusAnnotation] = status_of(sidecar, options, settings, added);
  if (!own.record.is_null())
    metadata["annotations"][kOverridesAnnotation] = api::json_text(nlohmann::json(own.record));
  return {};
}

}  // namespace

Result<Outcome> inject_template(Json& pod, const Owner& owner, const Settings& settings) {
  WEFT_CHECK(check_shape(pod));
  Json metadata = json::at(pod, "metadata");
  if (metadata.is_null()) metadata = Json::object();
  Json spec = pod["spec"];
  Outcome outcome;
  const Decision decision = decide(metadata, spec, owner.ns, settings);
  outcome.reason = decision.reason;
  if (!decision.warning.empty()) outcome.warnings.push_back(decision.warning);
  if (!decision.inject) {
    if (!text_in(metadata, "annotations", kStatusAnnotation).empty())
      outcome.warnings.push_back("the sidecar of a previous injection stays");
    return outcome;
  }
  WEFT_CHECK(check_size(metadata, spec, kMaxEntries + kMaxAdded));
  undo_injection(metadata, spec);
  WEFT_CHECK(check_size(metadata, spec, kMaxEntries));
  WEFT_TRY(const PodOptions options, PodOptions::read(metadata, settings));
  outcome.warnings.insert(outcome.warnings.end(), options.warnings.begin(), options.warnings.end());
  std::ranges::move(warnings_of(spec, owner, options), std::back_inserter(outcome.warnings));
  WEFT_CHECK(inject(metadata, spec, owner, settings, options, outcome.warnings));
  pod["metadata"] = std::move(metadata);
  pod["spec"] = std::move(spec);
  outcome.injected = true;
  return outcome;
}

}  // namespace weft::inject

#include "inject/injector.h"

#include <algorithm>

#include "base/strings.h"
#include "inject/decision.h"
#include "inject/earlier.h"
#include "inject/names.h"
#include "inject/own_containers.h"
#include "inject/probes.h"

namespace weft::inject {
namespace {

using api::Json;
constexpr std::size_t kLongestLabel = 63;

/// A text member of a map inside `metadata`; empty when it is not there.
std::string text_in(const Json& metadata, const char* map, const char* key) {
  const auto found = metadata.find(map);
  if (found == metadata.end() || !found->is_object()) return {};
  const auto value = found->find(key);
  return value == found->end() || !value->is_string() ? std::string() : value->get<std::string>();
}

void set_if_absent(Json& metadata, const char* map, const std::string& key, const std::string& value) {
  Json& into = metadata[map];
  if (into.is_null()) into = Json::object();
  if (!into.contains(key)) into[key] = value;
}

std::string first_of(const Json& metadata, std::initializer_list<const char*> labels,
                     const std::string& otherwise) {
  for (const char* label : labels)
    if (std::string value = text_in(metadata, "labels", label); !value.empty()) return value;
  return otherwise;
}

std::string label_value(std::string text) {
  text.resize(std::min(text.size(), kLongestLabel));
  constexpr std::string_view kEdges = "-_.";
  while (!text.empty() && kEdges.find(text.back()) != kEdges.npos) text.pop_back();
  const std::size_t start = text.find_first_not_of(kEdges);
  return start == text.npos ? std::string() : text.substr(start);
}

void add_labels(Json& metadata, const Owner& owner) {
  const std::string name = first_of(metadata, {"app.kubernetes.io/name", "app"}, owner.name);
  if (!name.empty()) set_if_absent(metadata, "labels", "service.istio.io/canonical-name", label_value(name));
  set_if_absent(metadata, "labels", "service.istio.io/canonical-revision",
                label_value(first_of(metadata, {"app.kubernetes.io/version", "version"}, "latest")));
}

/// Sends Prometheus to the sidecar, which adds the application's figures to its own. Returns what the
/// sidecar has to know of the application's; null when nothing changes hands.
Result<Json> merge_metrics(Json& metadata, const PodOptions& options) {
  const std::string prefix = "prometheus.io/";
  const std::string scrape = text_in(metadata, "annotations", "prometheus.io/scrape");
  if (!options.merge_metrics || options.status_port == 0 || scrape == "false") return Json(nullptr);
  Json original = nullptr;
  if (scrape == "true") {
    original = {{"scrape", "true"}};
    for (const char* name : {"port", "path"})
      if (const std::string value = text_in(metadata, "annotations", (prefix + name).c_str()); !value.empty())
        original[name] = value;
    const std::string port = original.value("port", "");
    for (const char* own : {"15000", "15001", "15004", "15006", "15008", "15020", "15021", "15053", "15090"})
      if (port == own)
        return fail(Error::config(Code::kInvalid, "annotation prometheus.io/port: \"" + port +
                                                      "\" is a port of the sidecar; name the application's"));
  }
  Json& annotations = metadata["annotations"];
  annotations[prefix + "scrape"] = "true";
  annotations[prefix + "port"] = std::to_string(options.status_port);
  annotations[prefix + "path"] = "/stats/prometheus";
  return original;
}

Json& list_in(Json& spec, const char* name) {
  Json& list = spec[name];
  if (!list.is_array()) list = Json::array();
  return list;
}

void place(Json& spec, const Sidecar& sidecar, const PodOptions& options) {
  const auto insert = [&](const char* list, bool front, const Json& container) {
    if (container.is_null()) return;
    Json& into = list_in(spec, list);
    into.insert(front ? into.begin() : into.end(), container);
  };
  if (options.native) {
    insert("initContainers", true, sidecar.proxy_container);
    insert("initContainers", true, sidecar.init_container);
  } else {
    insert("initContainers", false, sidecar.init_container);
    insert("containers", options.hold_application, sidecar.proxy_container);
  }
  for (const Json& volume : sidecar.volumes) list_in(spec, "volumes").push_back(volume);
}

Json names_of(const Json& items) {
  Json names = Json::array();
  for (const Json& each : items) names.push_back(each.value("name", ""));
  return names;
}

/// What is added, for tools and for the next injection.
std::string status_of(const Sidecar& sidecar, const PodOptions& options, const Settings& settings) {
  Json init = Json::array(), containers = Json::array();
  if (!sidecar.init_container.is_null()) init.push_back(kInitContainer);
  (options.native ? init : containers).push_back(kProxyContainer);
  Json secrets = nullptr;
  for (const std::string& each : settings.image_pull_secrets) secrets.push_back(each);
  return Json{{"initContainers", init},
              {"containers", containers},
              {"volumes", names_of(sidecar.volumes)},
              {"imagePullSecrets", secrets},
              {"revision", settings.revision}}
      .dump();
}

/// A sidecar that runs as another user is told apart by that one.
void follow_user(Sidecar& sidecar, const Json& own_proxy) {
  const Json context = own_proxy.is_object() ? own_proxy.value("securityContext", Json::object()) : Json();
  const auto user = context.find("runAsUser");
  if (!context.is_object() || user == context.end() || *user == 0 || sidecar.init_container.is_null()) return;
  Json& arguments = sidecar.init_container["args"];
  for (std::size_t i = 0; i + 1 < arguments.size(); ++i)
    if (arguments[i] == "-u") arguments[i + 1] = user->dump();
}

Result<void> check_shape(const Json& pod) {
  const auto wrong = [](const std::string& what) { return fail(Error::config(Code::kInvalid, what)); };
  if (!pod.is_object() || !pod.contains("spec") || !pod["spec"].is_object())
    return wrong("spec: must be a map");
  const Json& spec = pod["spec"];
  if (!spec.contains("containers") || !spec["containers"].is_array() || spec["containers"].empty())
    return wrong("spec.containers: must be a list of at least one container");
  for (const char* list : {"initContainers", "containers", "volumes"})
    if (spec.contains(list) && !spec[list].is_null())
      for (const Json& each : spec[list])
        if (!each.is_object())
          return wrong(std::string("spec.") + list + ": " + each.dump() + " must be a map");
  if (pod.contains("metadata") && !pod["metadata"].is_object() && !pod["metadata"].is_null())
    return wrong("metadata: must be a map");
  return {};
}

Result<void> inject(Json& metadata, Json& spec, const Owner& owner, const Settings& settings) {
  WEFT_TRY(const PodOptions options, PodOptions::read(metadata, settings));
  const OwnContainers own = take_own_containers(spec);
  if (!spec.contains("containers"))
    return fail(Error::config(Code::kInvalid, "spec.containers: there is no container but the sidecar"));
  const std::string first = spec["containers"][0].value("name", "");
  Json probers = Json::object();
  if (options.rewrite_probes && options.status_port != 0) probers = rewrite_probes(spec, options.status_port);
  add_labels(metadata, owner);
  WEFT_TRY(const Json prometheus, merge_metrics(metadata, options));
  Sidecar sidecar = make_sidecar(spec, owner, options, settings, probers, prometheus);
  merge_container(sidecar.proxy_container, own.proxy);
  if (!sidecar.init_container.is_null()) merge_container(sidecar.init_container, own.init);
  follow_user(sidecar, own.proxy);
  place(spec, sidecar, options);
  for (const std::string& each : settings.image_pull_secrets)
    list_in(spec, "imagePullSecrets").push_back({{"name", each}});
  set_if_absent(metadata, "annotations", "istio.io/rev", settings.revision);
  set_if_absent(metadata, "annotations", "kubectl.kubernetes.io/default-container", first);
  set_if_absent(metadata, "annotations", "kubectl.kubernetes.io/default-logs-container", first);
  metadata["annotations"][kStatusAnnotation] = status_of(sidecar, options, settings);
  if (!own.record.is_null())
    metadata["annotations"][kOverridesAnnotation] = nlohmann::json(own.record).dump();
  return {};
}

}  // namespace

Result<Outcome> inject_template(Json& pod, const Owner& owner, const Settings& settings) {
  WEFT_CHECK(check_shape(pod));
  Json metadata = pod.value("metadata", Json::object());
  if (metadata.is_null()) metadata = Json::object();
  Json spec = pod["spec"];
  Outcome outcome;
  const Decision decision = decide(metadata, spec, owner.ns, settings);
  outcome.reason = decision.reason;
  if (!decision.warning.empty()) outcome.warnings.push_back(decision.warning);
  if (!decision.inject) return outcome;
  const Json policy = spec.value("dnsPolicy", Json("ClusterFirst"));
  if (policy != "ClusterFirst")
    outcome.warnings.push_back("dnsPolicy " + policy.dump() +
                               ": names of the cluster may not resolve in this pod");
  undo_injection(metadata, spec);
  WEFT_CHECK(inject(metadata, spec, owner, settings));
  pod["metadata"] = std::move(metadata);
  pod["spec"] = std::move(spec);
  outcome.injected = true;
  return outcome;
}

}  // namespace weft::inject

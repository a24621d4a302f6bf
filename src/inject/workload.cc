#include "inject/workload.h"

#include <array>

#include "inject/json_access.h"

namespace weft::inject {
namespace {

using api::Json;

struct Workload {
  std::string_view group, kind;
  std::string_view path;  ///< of the pod template; empty: the object itself
};
constexpr std::array<Workload, 9> kWorkloads = {{{"", "Pod", ""},
                                                 {"apps", "Deployment", "spec.template"},
                                                 {"apps", "DaemonSet", "spec.template"},
                                                 {"apps", "ReplicaSet", "spec.template"},
                                                 {"apps", "StatefulSet", "spec.template"},
                                                 {"", "ReplicationController", "spec.template"},
                                                 {"batch", "Job", "spec.template"},
                                                 {"batch", "CronJob", "spec.jobTemplate.spec.template"},
                                                 {"apps.openshift.io", "DeploymentConfig", "spec.template"}}};
constexpr int kMaxListDepth = 8;

/// People write this one on the workload, where it means nothing.
void warn_of_misplaced(const Json& metadata, const std::string& kind, std::vector<std::string>& warnings) {
  constexpr const char* kInject = "sidecar.istio.io/inject";
  for (const char* map : {"labels", "annotations"})
    if (!json::at(json::at(metadata, map), kInject).is_null())
      warnings.push_back(std::string(kInject) + " stands on the " + kind +
                         " and means nothing there; write it into its pod template's labels");
}

/// Old groups too: a file may keep its API versions.
const Workload* find_workload(const std::string& version, const std::string& kind) {
  const auto slash = version.find('/');
  const std::string group = slash == version.npos ? "" : version.substr(0, slash);
  for (const Workload& each : kWorkloads)
    if (each.kind == kind && (each.group == group || (group == "extensions" && each.group == "apps")))
      return &each;
  return nullptr;
}

/// "List", or the list of a kind that has pods, such as DeploymentList.
bool is_list(const std::string& version, const std::string& kind) {
  if (!kind.ends_with("List")) return false;
  const std::string of = kind.substr(0, kind.size() - 4);
  return of.empty() ? version == "v1" : find_workload(version, of) != nullptr;
}

/// What `path` names inside `object`; null when it is not there.
Json* at_path(Json& object, std::string_view path) {
  Json* at = &object;
  while (!path.empty()) {
    const auto dot = path.find('.');
    const auto found = at->is_object() ? at->find(std::string(path.substr(0, dot))) : at->end();
    if (!at->is_object() || found == at->end()) return nullptr;
    at = &*found;
    path = dot == path.npos ? std::string_view() : path.substr(dot + 1);
  }
  return at;
}

class Walk {
 public:
  Walk(std::string_view default_namespace, const Settings& settings)
      : default_namespace_(default_namespace), settings_(settings) {}

  /// `implied` is the kind that the items of a typed list need not repeat.
  struct Kind {
    std::string version, kind;
  };
  std::expected<void, WorkloadError> object(Json& object, const Kind& implied, const std::string& prefix,
                                            int depth) {
    if (!object.is_object()) return {};
    const Kind own{json::string(object, "apiVersion"), json::string(object, "kind")};
    const Kind& kind = own.version.empty() && own.kind.empty() ? implied : own;
    if (is_list(kind.version, kind.kind)) return list(object, kind, prefix, depth);
    const Workload* workload = find_workload(kind.version, kind.kind);
    if (!workload) return {};
    const Json& metadata = json::at(object, "metadata");
    Owner owner{kind.version, kind.kind, json::string(metadata, "name"), json::string(metadata, "namespace")};
    if (owner.name.empty()) owner.name = json::string(metadata, "generateName");
    if (owner.ns.empty()) owner.ns = default_namespace_;
    std::string path = prefix;
    if (!prefix.empty() && !workload->path.empty()) path += ".";
    path += workload->path;
    const std::string name = owner.kind + " " + owner.ns + "/" + owner.name;
    Json* pod = at_path(object, workload->path);
    if (!pod) return std::unexpected(WorkloadError{name, path, path + ": is missing"});
    auto outcome = inject_template(*pod, owner, settings_);
    if (!outcome) return std::unexpected(WorkloadError{name, path, outcome.error().text});
    if (!workload->path.empty()) warn_of_misplaced(metadata, owner.kind, outcome->warnings);
    if (owner.kind == "CronJob")
      warn_of_misplaced(json::at(json::at(json::at(object, "spec"), "jobTemplate"), "metadata"),
                        "job template", outcome->warnings);
    looked.push_back({name, path, std::move(*outcome)});
    return {};
  }

  std::vector<Looked> looked;

 private:
  std::expected<void, WorkloadError> list(Json& list, const Kind& of, const std::string& prefix, int depth) {
    const Kind item_kind{of.version, of.kind.substr(0, of.kind.size() - 4)};
    const auto items = list.find("items");
    if (items == list.end() || !items->is_array() || depth >= kMaxListDepth) return {};
    for (std::size_t i = 0; i < items->size(); ++i) {
      const std::string path = prefix + (prefix.empty() ? "" : ".") + "items[" + std::to_string(i) + "]";
      if (auto done = object((*items)[i], item_kind, path, depth + 1); !done) return done;
    }
    return {};
  }

  std::string_view default_namespace_;
  const Settings& settings_;
};

}  // namespace

bool may_have_pods(const std::string& api_version, const std::string& kind) {
  return is_list(api_version, kind) || find_workload(api_version, kind) != nullptr;
}

std::expected<std::vector<Looked>, WorkloadError> inject_object(Json& object,
                                                                std::string_view default_namespace,
                                                                const Settings& settings) {
  Walk walk(default_namespace, settings);
  if (auto done = walk.object(object, {}, "", 0); !done) return std::unexpected(std::move(done).error());
  return std::move(walk.looked);
}

}  // namespace weft::inject

#include "inject/api_versions.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "api/convert.h"
#include "api/object.h"
#include "inject/json_access.h"

namespace weft::inject {
namespace {

using api::Json;

struct Removed {
  std::string_view version, kind, today;
};
constexpr std::array<Removed, 15> kRemoved = {{
    {"extensions/v1beta1", "Deployment", "apps/v1"},
    {"extensions/v1beta1", "DaemonSet", "apps/v1"},
    {"extensions/v1beta1", "ReplicaSet", "apps/v1"},
    {"extensions/v1beta1", "Ingress", "networking.k8s.io/v1"},
    {"extensions/v1beta1", "NetworkPolicy", "networking.k8s.io/v1"},
    {"apps/v1beta1", "Deployment", "apps/v1"},
    {"apps/v1beta1", "StatefulSet", "apps/v1"},
    {"apps/v1beta2", "Deployment", "apps/v1"},
    {"apps/v1beta2", "DaemonSet", "apps/v1"},
    {"apps/v1beta2", "ReplicaSet", "apps/v1"},
    {"apps/v1beta2", "StatefulSet", "apps/v1"},
    {"networking.k8s.io/v1beta1", "Ingress", "networking.k8s.io/v1"},
    {"networking.k8s.io/v1beta1", "IngressClass", "networking.k8s.io/v1"},
    {"batch/v1beta1", "CronJob", "batch/v1"},
    {"batch/v2alpha1", "CronJob", "batch/v1"},
}};

/// The old versions took the selector from the template's labels when it was not written.
void update_workload(Json& object, const std::string& version, std::vector<std::string>& notes,
                     const std::string& name) {
  const auto spec = object.find("spec");
  if (spec == object.end() || !spec->is_object()) return;
  for (const char* gone : {"rollbackTo", "templateGeneration"})
    if (spec->erase(gone) > 0)
      notes.push_back(name + ": spec." + gone + " is gone from apps/v1, and removed");
  const bool replaced_on_delete =
      (version == "extensions/v1beta1" && json::string(object, "kind") == "DaemonSet") ||
      (version == "apps/v1beta1" && json::string(object, "kind") == "StatefulSet");
  if (replaced_on_delete && !spec->contains("updateStrategy"))
    notes.push_back(name +
                    ": spec.updateStrategy is RollingUpdate today when it is not written, and was OnDelete");
  if (spec->contains("selector") || !spec->contains("template") || !(*spec)["template"].is_object()) return;
  const Json labels = json::at(json::at((*spec)["template"], "metadata"), "labels");
  if (!labels.is_object() || labels.empty())
    return notes.push_back(
        name +
        ": spec.selector is required today, and the template has no labels to take it from; "
        "write both");
  (*spec)["selector"] = {{"matchLabels", labels}};
  notes.push_back(name + ": spec.selector is required today; it is the template's labels");
}

void update_ingress(Json& object, std::vector<std::string>& notes, const std::string& name) {
  const auto* kind = api::find_kind("networking.k8s.io/v1", "Ingress");
  Json copy = object;
  api::Report report("", nullptr, nullptr);
  api::convert(copy, *kind, api::Path(), report);
  for (const api::Problem& each : report.problems())
    notes.push_back(name + ": " + each.field + ": " + each.text);
  for (const std::string& note : report.notes()) notes.push_back(name + ": " + note);
  object = std::move(copy);
}

void update(Json& object, std::vector<std::string>& notes) {
  const std::string version = json::string(object, "apiVersion"), kind = json::string(object, "kind");
  for (const Removed& each : kRemoved) {
    if (each.version != version || each.kind != kind) continue;
    const Json& metadata = json::at(object, "metadata");
    const std::string name = kind + " " + json::string(metadata, "name");
    notes.push_back(name + ": apiVersion " + version + " is no longer served by Kubernetes; written as " +
                    std::string(each.today));
    if (kind == "Ingress") {
      update_ingress(object, notes, name);
    } else {
      object["apiVersion"] = each.today;
      if (each.today == "apps/v1") update_workload(object, version, notes, name);
    }
    return;
  }
}

void walk(Json& object, std::vector<std::string>& notes, int depth) {
  if (!object.is_object() || depth > 8) return;
  const auto items = object.find("items");
  if (json::string(object, "kind") == "List" && items != object.end() && items->is_array()) {
    for (Json& each : *items) walk(each, notes, depth + 1);
    return;
  }
  update(object, notes);
}

}  // namespace

bool is_removed(std::string_view api_version, std::string_view kind) {
  return std::ranges::any_of(
      kRemoved, [&](const Removed& each) { return each.version == api_version && each.kind == kind; });
}

std::vector<std::string> update_api_version(Json& object) {
  std::vector<std::string> notes;
  walk(object, notes, 0);
  return notes;
}

}  // namespace weft::inject

#include "inject/earlier.h"

#include <algorithm>
#include <string>

#include "inject/names.h"
#include "inject/probes.h"

namespace weft::inject {
namespace {

using api::Json;

Json annotation(const Json& metadata, const char* key) {
  const auto annotations = metadata.find("annotations");
  if (annotations == metadata.end() || !annotations->is_object()) return nullptr;
  const auto found = annotations->find(key);
  if (found == annotations->end() || !found->is_string()) return nullptr;
  Json value = Json::parse(found->get_ref<const std::string&>(), nullptr, false);
  return value.is_discarded() ? Json(nullptr) : value;
}

/// Removes the items of those names; the list too when none is left.
void remove_named(Json& spec, const char* list, const Json& names) {
  const auto found = spec.find(list);
  if (found == spec.end() || !found->is_array() || !names.is_array()) return;
  Json kept = Json::array();
  for (Json& each : *found)
    if (!each.is_object() || std::ranges::find(names, each.value("name", Json())) == names.end())
      kept.push_back(std::move(each));
  if (kept.empty())
    spec.erase(list);
  else
    *found = std::move(kept);
}

/// What the sidecar's variable says, as JSON.
Json sidecar_variable(const Json& spec, const char* name) {
  for (const char* list : {"initContainers", "containers"}) {
    const auto containers = spec.find(list);
    if (containers == spec.end() || !containers->is_array()) continue;
    for (const Json& container : *containers) {
      if (!container.is_object() || container.value("name", "") != kProxyContainer) continue;
      const Json environment = container.value("env", Json::array());
      for (const Json& each : environment)
        if (each.is_object() && each.value("name", "") == name)
          return Json::parse(each.value("value", ""), nullptr, false);
    }
  }
  return nullptr;
}

void restore_scraping(Json& metadata, const Json& originals) {
  Json& annotations = metadata["annotations"];
  for (const char* name : {"scrape", "port", "path"}) {
    const std::string key = std::string("prometheus.io/") + name;
    annotations.erase(key);
    if (originals.is_object() && originals.contains(name)) annotations[key] = originals[name];
  }
}

bool scrapes_the_sidecar(const Json& metadata) {
  const auto annotations = metadata.find("annotations");
  return annotations != metadata.end() && annotations->value("prometheus.io/path", "") == "/stats/prometheus";
}

}  // namespace

void undo_injection(Json& metadata, Json& spec) {
  const Json status = annotation(metadata, kStatusAnnotation);
  if (!status.is_object()) return;
  const Json probers = sidecar_variable(spec, kProbersVariable);
  const Json prometheus = sidecar_variable(spec, kPrometheusVariable);
  for (const char* list : {"initContainers", "containers", "volumes", "imagePullSecrets"})
    remove_named(spec, list, status.value(list, Json()));
  const Json overrides = annotation(metadata, kOverridesAnnotation);
  for (const char* list : {"initContainers", "containers"})
    if (overrides.is_object() && overrides.contains(list))
      for (const Json& own : overrides[list]) spec[list].push_back(own);
  if (probers.is_object()) restore_probes(spec, probers);
  if (scrapes_the_sidecar(metadata)) restore_scraping(metadata, prometheus);
  metadata["annotations"].erase(kStatusAnnotation);
  metadata["annotations"].erase(kOverridesAnnotation);
}

}  // namespace weft::inject

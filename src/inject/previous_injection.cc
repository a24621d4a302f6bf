#include "inject/previous_injection.h"

#include <set>
#include <string>

#include "api/json_text.h"
#include "base/strings.h"
#include "inject/json_access.h"
#include "inject/names.h"
#include "inject/probes.h"
#include "inject/stale_endpoints.h"

namespace weft::inject {
namespace {

using api::Json;

Json annotation(const Json& metadata, const char* key) {
  const Json& found = json::at(json::at(metadata, "annotations"), key);
  if (!found.is_string()) return nullptr;
  Json value = api::parse_json(found.get_ref<const std::string&>());
  if (value.is_discarded()) return nullptr;
  return value;
}

std::set<std::string> texts_of(const Json& list) {
  std::set<std::string> texts;
  for (const Json& each : list)
    if (each.is_string()) texts.insert(each.get<std::string>());
  return texts;
}

/// Removes the items of those names; the list too when none is left.
void remove_named(Json& spec, const char* list, const Json& names) {
  Json* found = list_in(spec, list);
  if (!found || !names.is_array() || names.empty()) return;
  const std::set<std::string> unwanted = texts_of(names);
  Json kept = Json::array();
  for (Json& each : *found)
    if (!unwanted.contains(json::string(each, "name"))) kept.push_back(std::move(each));
  if (kept.empty())
    spec.erase(list);
  else
    *found = std::move(kept);
}

/// Removes the members of those names; the map too when none is left.
void remove_members(Json& metadata, const char* map, const Json& names) {
  const auto found = metadata.find(map);
  if (found == metadata.end() || !found->is_object() || !names.is_array()) return;
  for (const std::string& name : texts_of(names)) found->erase(name);
  if (found->empty()) metadata.erase(map);
}

/// What the sidecar's variable says, as JSON.
Json sidecar_variable(const Json& spec, const char* name) {
  for (const char* list : {"initContainers", "containers"})
    for (const Json& container : json::list(spec, list)) {
      if (json::string(container, "name") != kProxyContainer) continue;
      for (const Json& each : json::list(container, "env"))
        if (json::string(each, "name") == name)
          return api::parse_json(read_variable(json::string(each, "value")));
    }
  return nullptr;
}

/// An injection of ours has recorded which annotations it added, and what stood in place of the others;
/// another make's has not.
void restore_scraping(Json& metadata, const Json& status, const Json& originals) {
  const Json& annotations = json::at(metadata, "annotations");
  if (!status.contains("annotations") &&
      json::string(annotations, "prometheus.io/path") == "/stats/prometheus")
    remove_members(metadata, "annotations",
                   Json::array({"prometheus.io/scrape", "prometheus.io/port", "prometheus.io/path"}));
  for (const char* name : {"scrape", "port", "path"})
    if (!json::at(originals, name).is_null())
      metadata["annotations"][std::string("prometheus.io/") + name] = originals[name];
}

void remove_controls(Json& spec, const Json& names) {
  const auto context = spec.find("securityContext");
  if (context == spec.end() || !context->is_object()) return;
  remove_named(*context, "sysctls", names);
  if (context->empty() && names.is_array() && !names.empty()) spec.erase("securityContext");
}

}  // namespace

std::string read_variable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '$') ++i;
  }
  return out;
}

void undo_injection(Json& metadata, Json& spec) {
  const Json status = annotation(metadata, kStatusAnnotation);
  if (!status.is_object()) return;
  const Json probers = sidecar_variable(spec, kProbersVariable);
  const Json prometheus = sidecar_variable(spec, kPrometheusVariable);
  for (const char* list : {"initContainers", "containers", "volumes", "imagePullSecrets"})
    remove_named(spec, list, json::at(status, list));
  const Json overrides = annotation(metadata, kOverridesAnnotation);
  for (const char* list : {"initContainers", "containers"})
    for (const Json& own : json::list(overrides, list)) {
      Json& into = spec[list];
      if (into.is_null() || into.is_array()) into.push_back(own);
    }
  stop_waiting(spec, json::at(status, "preStop"));
  if (probers.is_object()) restore_probes(spec, {probers, json::at(status, "portNames"), {}});
  remove_controls(spec, json::at(status, "sysctls"));
  restore_scraping(metadata, status, prometheus);
  remove_members(metadata, "labels", json::at(status, "labels"));
  remove_members(metadata, "annotations", json::at(status, "annotations"));
  remove_members(metadata, "annotations", Json::array({kStatusAnnotation, kOverridesAnnotation}));
}

}  // namespace weft::inject

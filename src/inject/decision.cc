#include "inject/decision.h"

#include <map>

#include "api/json_text.h"
#include "api/selector.h"
#include "inject/json_access.h"

namespace weft::inject {
namespace {

using api::Json;
constexpr std::string_view kInject = "sidecar.istio.io/inject";

std::map<std::string, std::string> labels_of(const Json& metadata) {
  std::map<std::string, std::string> labels;
  const Json& found = json::at(metadata, "labels");
  if (!found.is_object()) return labels;
  for (const auto& [name, value] : found.items())
    if (value.is_string()) labels[name] = value.get<std::string>();
  return labels;
}

/// What the label says, or else the annotation; empty when neither is there.
std::string asked(const Json& metadata) {
  for (const char* place : {"labels", "annotations"}) {
    const Json& value = json::at(json::at(metadata, place), kInject);
    if (!value.is_null()) return value.is_string() ? value.get<std::string>() : api::json_text(value);
  }
  return {};
}

bool any_matches(const std::vector<Json>& selectors, const std::map<std::string, std::string>& labels) {
  for (const Json& each : selectors) {
    const auto selector = api::LabelSelector::from_json(each);
    if (selector && !selector->empty() && selector->matches(labels)) return true;
  }
  return false;
}

}  // namespace

Decision decide(const Json& metadata, const Json& spec, std::string_view ns, const Settings& settings) {
  if (json::at(spec, "hostNetwork") == true)
    return {false, "it uses the host's network, which no sidecar can redirect"};
  if (json::at(json::at(spec, "os"), "name") == "windows")
    return {false, "its os is windows, for which there is no sidecar"};
  for (const std::string_view system :
       {"kube-system", "kube-public", "kube-node-lease", "local-path-storage"})
    if (ns == system) return {false, "the namespace " + std::string(ns) + " is the system's"};
  const std::string wish = asked(metadata);
  if (wish == "true") return {true, "sidecar.istio.io/inject is true"};
  if (wish == "false") return {false, "sidecar.istio.io/inject is false"};
  std::string warning;
  if (!wish.empty())
    warning = "sidecar.istio.io/inject: \"" + wish + "\" is neither true nor false, and is taken as not set";
  const auto labels = labels_of(metadata);
  if (any_matches(settings.never_inject, labels))
    return {false, "a selector of neverInjectSelector matches", std::move(warning)};
  if (any_matches(settings.always_inject, labels))
    return {true, "a selector of alwaysInjectSelector matches", std::move(warning)};
  const bool enabled = settings.policy == Settings::Policy::kEnabled;
  return {enabled, enabled ? "the mesh's policy is enabled" : "the mesh's policy is disabled",
          std::move(warning)};
}

}  // namespace weft::inject

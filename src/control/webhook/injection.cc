#include "control/webhook/injection.h"

#include "control/json.h"
#include "inject/injector.h"

namespace weft::control {
namespace {

/// `name` without the last "-" and what follows, when that is `suffix`.
std::string without_suffix(std::string_view name, std::string_view suffix) {
  if (!suffix.empty() && name.size() > suffix.size() + 1 && name.ends_with(suffix) &&
      name[name.size() - suffix.size() - 1] == '-')
    name.remove_suffix(suffix.size() + 1);
  return std::string(name);
}

/// A CronJob's Jobs are named after it and the minute they are for, 8 to 10 digits.
std::string cron_job_of(std::string_view job) {
  auto dash = job.rfind('-');
  if (dash == job.npos || dash == 0) return {};
  std::string_view digits = job.substr(dash + 1);
  bool minute =
      digits.size() >= 8 && digits.size() <= 10 && digits.find_first_not_of("0123456789") == digits.npos;
  return minute ? std::string(job.substr(0, dash)) : std::string();
}

const api::Json& controller_of(const api::Json& metadata) {
  static const api::Json kNone = api::Json::object();
  for (const auto& reference : json::list(metadata, "ownerReferences"))
    if (json::boolean(reference, "controller")) return reference;
  return kNone;
}

/// What stands behind the owner that the pod names.
inject::Owner behind(inject::Owner owner, const api::Json& labels) {
  std::string_view hash = json::text(labels, "pod-template-hash");
  std::string_view rollout = json::text(labels, "rollouts-pod-template-hash");
  std::string_view config = json::text(labels, "deploymentconfig");
  if (owner.kind == "ReplicaSet" && !rollout.empty())
    return {"argoproj.io/v1alpha1", "Rollout", without_suffix(owner.name, rollout), owner.ns};
  if (owner.kind == "ReplicaSet" && !hash.empty())
    return {owner.api_version, "Deployment", without_suffix(owner.name, hash), owner.ns};
  if (owner.kind == "ReplicationController" && !config.empty())
    return {"apps.openshift.io/v1", "DeploymentConfig", std::string(config), owner.ns};
  if (std::string cron = owner.kind == "Job" ? cron_job_of(owner.name) : std::string(); !cron.empty())
    return {"batch/v1", "CronJob", cron, owner.ns};
  return owner;
}

}  // namespace

inject::Owner owner_of_pod(const api::Json& pod, const std::string& ns) {
  const api::Json& metadata = json::map(pod, "metadata");
  const api::Json& reference = controller_of(metadata);
  if (!reference.empty())
    return behind(
        {std::string(json::text(reference, "apiVersion")), std::string(json::text(reference, "kind")),
         std::string(json::text(reference, "name")), ns},
        json::map(metadata, "labels"));
  std::string name(json::text(metadata, "name"));
  if (name.empty()) name = json::text(metadata, "generateName");
  while (name.ends_with('-')) name.pop_back();
  return {"v1", "Pod", name, ns};
}

AdmissionResponse inject_pod(const AdmissionRequest& request, const inject::Settings& settings) {
  std::string ns(json::text(json::map(request.object, "metadata"), "namespace"));
  if (ns.empty()) ns = request.ns;
  api::Json pod = request.object;
  AdmissionResponse response;
  // Reading a field of a type that no API server lets through makes the JSON library throw.
  try {
    auto outcome = inject::inject_template(pod, owner_of_pod(pod, ns), settings);
    if (!outcome) return {.allowed = false, .message = std::move(outcome).error().text};
    response.warnings = std::move(outcome->warnings);
    if (outcome->injected) response.patch = api::Json::diff(request.object, pod);
  } catch (const api::Json::exception& error) {
    return {.allowed = false, .message = std::string("the pod has a field of a wrong type: ") + error.what()};
  }
  return response;
}

}  // namespace weft::control

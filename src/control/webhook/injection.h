#pragma once

#include "control/webhook/admission_review.h"
#include "inject/settings.h"
#include "inject/sidecar_template.h"

namespace weft::control {

/// A pod that is being made gets its sidecar, if it is to have one; a pod whose annotations are wrong is
/// rejected, with the annotation's name. A pure function.
AdmissionResponse inject_pod(const AdmissionRequest& request, const inject::Settings& settings);

/// Who made the pod, guessed as Istio guesses: the Deployment behind a ReplicaSet (by pod-template-hash), the
/// CronJob behind a Job, the Rollout, the DeploymentConfig; else the controlling owner; else the pod itself.
inject::Owner owner_of_pod(const api::Json& pod, const std::string& ns);

}  // namespace weft::control

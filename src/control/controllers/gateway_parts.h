#pragma once

#include <string>
#include <vector>

#include "control/controllers/plan.h"
#include "control/translation/gateway_api.h"
#include "inject/settings.h"

namespace weft::control {

/// Marks what was made for a Gateway; an object without it is not ours and is left alone.
inline constexpr std::string_view kManagedLabel = "gateway.istio.io/managed";

/// The name of a Gateway's ServiceAccount, Deployment and Service: "<gateway>-<class>", or what annotation
/// gateway.istio.io/name-override says.
std::string parts_name(const api::Object& gateway, const api::gateway_api::Gateway& spec);

/// What a Gateway without addresses is to run as, owned by it: its deletion removes them.
std::vector<api::Object> gateway_parts(const ApiGateway& gateway, const inject::Settings& settings);

/// The writes that bring the Gateway's parts about. The finding is bad when one of them cannot be had: an
/// object of its name is not ours, or an annotation is wrong; nothing at all is written then.
Finding plan_parts(Plan& plan, const ObjectSnapshot& snapshot, const ApiGateway& gateway,
                   const inject::Settings& settings);

/// What the cluster's cache keeps of a Deployment or ServiceAccount: all of those made here, of others only
/// that they are there.
api::ObjectPtr keep_part(const api::ObjectPtr& object);

}  // namespace weft::control

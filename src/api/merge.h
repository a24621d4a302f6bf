#pragma once

#include <string_view>

#include "api/json.h"

namespace weft::api {

/// Where `apply` keeps what it was given the last time, as one line of JSON.
inline constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/// What `live` becomes when a person who applied `last_applied` before applies `desired` now, as kubectl does
/// it: fields of `desired` win; fields of `last_applied` that `desired` no longer has are removed; all
/// others, which a server or another person set, stay. Maps merge by key. A pod's containers, env, volumes
/// (`name`), volumeMounts
/// (`mountPath`) and ports (`containerPort`, a Service's `port`) merge item by item, in the order of
/// `desired`; other lists, those of Istio's kinds among them, are replaced. A null in `desired` removes.
///
/// `last_applied` may be null: nothing is removed then. The annotation itself is the caller's. Any thread.
Json three_way_merge(const Json& last_applied, const Json& live, const Json& desired);

}  // namespace weft::api

#pragma once

#include "api/json.h"

namespace weft::inject {

/// A pod that ends is in the endpoints of its callers for some time yet. Every application container without
/// a preStop of its own gets one that sleeps, so that it goes on serving until they have heard.
///
/// Returns those that did, {"container": seconds}: what stop_waiting() needs.
api::Json wait_for_stale_endpoints(api::Json& spec, int seconds);

/// Takes it back, where it is unchanged since.
void stop_waiting(api::Json& spec, const api::Json& record);

}  // namespace weft::inject

#pragma once

#include "api/object.h"
#include "base/error.h"
#include "capture/redirection.h"

namespace weft::local {

/// What of a pod's traffic goes through its sidecar: all TCP, and what the annotations
/// traffic.sidecar.istio.io/{include,exclude}{Inbound,Outbound}Ports, {include,exclude}OutboundIPRanges,
/// excludeInterfaces and kubevirtInterfaces say, as on a cluster. Errors: kInvalid, naming the annotation.
Result<capture::Redirection> redirection_of(const api::Object& pod);

}  // namespace weft::local

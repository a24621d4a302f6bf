#pragma once

#include "api/object.h"

namespace weft::api {

/// Fills in what Kubernetes fills in: `body` is valid and in the stored version. Doing it twice changes
/// nothing.
void set_defaults(Json& body, const KindInfo& kind);

}  // namespace weft::api

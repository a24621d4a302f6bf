#pragma once

#include "api/json.h"
#include "api/schema/schema.h"

namespace weft::install {

/// A table of fields as an OpenAPI v3 schema in the structural form that Kubernetes asks of custom resources.
///
/// It is looser than the table, on purpose (docs/decisions/0013): maps keep fields they do not know, values
/// that weft knows and does not serve are allowed, and the forms of texts are not checked. All that is
/// left to the validating webhook, which says what to do instead. What the schema does say is each field's
/// type, its range, and which fields must be there. Any thread.
api::Json open_api(const api::Schema& schema);

}  // namespace weft::install

#pragma once

#include "api/object.h"
#include "api/path.h"
#include "api/report.h"

namespace weft::api {

/// Brings an object whose fields fit the schema of its own apiVersion to the stored version of `kind`, as
/// Kubernetes converted it when it still served the old one, and writes Ingress paths that are patterns as
/// prefixes, with a note. Problems are paths that no rule of today can say.
void convert(Json& body, const KindInfo& kind, const Path& at, Report& report);

}  // namespace weft::api

#pragma once

#include <string>

#include "api/object.h"
#include "base/error.h"
#include "cli/context.h"
#include "net/task.h"

namespace weft::cli {

/// The pod that was meant by "NAME", "pod/NAME", or "deploy/NAME" and other types that have pods: itself, or
/// the first of them; that there are more is said on standard error. Errors: kNotFound; kInvalid, the type
/// has no pods.
net::Task<Result<api::ObjectPtr>> find_pod(const Context& context, std::string resource);

}  // namespace weft::cli

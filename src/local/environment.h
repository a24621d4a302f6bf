#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "api/object.h"
#include "base/error.h"

namespace weft::local {

using Environment = std::map<std::string, std::string>;

/// Finds a ConfigMap or Secret of the pod's namespace; null when it is not there.
using FindObject = std::function<api::ObjectPtr(std::string_view kind, std::string_view name)>;

/// The variables of `container` (spec.containers[i] of `pod`) on top of `base`, with `valueFrom` looked up
/// and `$(NAME)` replaced by variables before it. `pod_ip` is not in the object yet. Errors: kNotFound, a
/// reference that is not optional and leads nowhere; kTooLarge, a variable of more than 128 KiB or all of
/// more than 2 MiB, with which the kernel starts no program (execve(2)). The text names the variable.
Result<Environment> resolve_environment(const api::Object& pod, const api::Json& container,
                                        const std::string& pod_ip, Environment base, const FindObject& find);

/// `$(NAME)` replaced where NAME is known, `$$` by `$`; the rest as it is. Error: kTooLarge, more than 128
/// KiB.
Result<std::string> expand(std::string_view text, const Environment& environment);

/// An object's `$(…)`-expanded list of arguments, `command` or `args`. Errors: kTooLarge, as above.
Result<std::vector<std::string>> expand_all(const api::Json& arguments, const Environment& environment);

}  // namespace weft::local

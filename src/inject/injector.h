#pragma once

#include <string>
#include <vector>

#include "api/json.h"
#include "base/error.h"
#include "inject/settings.h"
#include "inject/sidecar_template.h"

namespace weft::inject {

/// What became of one pod template.
struct Outcome {
  bool injected = false;
  std::string reason;                 ///< why, or why not
  std::vector<std::string> warnings;  ///< for the person who wrote it
};

/// Puts a sidecar into a pod template (`pod` has `metadata` and `spec`), if the pod is to have one; a
/// template that has one gets it again, and stays the same when nothing about it has changed. A pure
/// function.
///
/// Errors: kInvalid, the author's: a wrong annotation, or a spec of a wrong shape; kTooLarge, a list or map
/// of more than 1000 entries. `pod` is then unchanged.
Result<Outcome> inject_template(api::Json& pod, const Owner& owner, const Settings& settings);

}  // namespace weft::inject

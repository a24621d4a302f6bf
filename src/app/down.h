#pragma once

#include <string>

#include "base/error.h"

namespace weft::app {

/// Ends a running instance in order: applications, sidecars, control plane. Blocks until its last process has
/// ended; an instance that takes longer than 30 s is killed. Value: whether one was running. Errors: kDenied.
Result<bool> stop_instance(const std::string& state_dir);

}  // namespace weft::app

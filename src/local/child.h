#pragma once

#include "local/process.h"

namespace weft::local {

/// The whole life of a forked child until it becomes the program: waits until `go` ends, enters or makes
/// namespaces, mounts, takes its user, and executes. What fails is written to `trouble` as one line, and it
/// ends with 127. `mounts` is sent its mount namespace, as a descriptor.
[[noreturn]] void run_child(const ProcessSpec& spec, int go, int trouble, int mounts);

}  // namespace weft::local

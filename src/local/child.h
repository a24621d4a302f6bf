#pragma once

#include "local/process.h"

namespace weft::local {

/// The whole life of a forked child until it becomes the program: waits until `go` ends, enters or makes
/// namespaces, mounts, takes its user, and executes. A mount namespace that it makes is sent over `mounts`.
/// What fails is written to `error_pipe` as one line, and it ends with 127.
[[noreturn]] void run_child(const ProcessSpec& spec, int go, int error_pipe, int mounts);

}  // namespace weft::local

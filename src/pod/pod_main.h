#pragma once

#include <optional>

namespace weft::pod {

/// `weft proxy sidecar|router|wait|drain …`: what a pod's containers run. Nothing when the first argument is
/// none of these; else the exit code, when the program has ended: 0 done, 1 failed, 2 wrong usage.
std::optional<int> pod_main(int argc, char** argv);

}  // namespace weft::pod

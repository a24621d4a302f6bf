#pragma once

namespace weft::app {

/// `weft proxy`, and the whole of `weft-proxy`: a sidecar or gateway from its bootstrap to its end. Returns
/// the exit code: 0 left in order, 1 the configuration or a port is wrong, 2 wrong usage.
int proxy_main(int argc, char** argv);

}  // namespace weft::app

#pragma once

namespace weft::app {

/// `weft control`: the control plane as a process. `argv[0]` is the subcommand's name.
///
///   --state-dir DIR        where store/, api.sock and xds.sock are (made when they are not there)
///   --registration-fd N    an inherited Unix socket on which the supervisor says which process is which
///   sidecar
///   --log-level LEVEL      trace, debug, info, warning, error or off; info unless given
///
/// With --kubernetes it is the control plane of a cluster, see control_kubernetes.h.
///
/// Ready when api.sock accepts. SIGTERM or SIGINT end it in order. Exit codes: 0 ended in order, 1 could not
/// start, 2 wrong command line.
int control_main(int argc, char** argv);

}  // namespace weft::app

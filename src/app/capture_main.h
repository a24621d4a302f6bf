#pragma once

namespace weft::app {

/// `weft capture`: sets the rules that send a pod's traffic through its sidecar, in the network namespace
/// that the process is in, and ends. `argv[0]` is the subcommand's name; the flags are those of
/// istio-iptables, and
///
///   --print [nft|iptables]   prints the rules and sets nothing
///   --clean                  takes them away
///
/// Needs the capability NET_ADMIN and no file but /etc/resolv.conf. Exit codes: 0 done, 1 the kernel
/// rejected, 2 wrong command line, 126 --run-validation found the rules not applied.
int capture_main(int argc, char** argv);

}  // namespace weft::app

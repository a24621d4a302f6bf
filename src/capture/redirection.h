#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "capture/network.h"

namespace weft::capture {

/// The marks of one machine's sockets (SO_MARK): the sidecar's upstream connections, and the probes of the
/// runtime, which reach the application directly.
inline constexpr std::uint32_t kSidecarMark = 1337, kProbeMark = 1338;
/// User and group of a sidecar in a pod.
inline constexpr std::uint32_t kSidecarId = 1337;

/// What of a pod's traffic goes through its sidecar, with Istio's ports as defaults: all TCP, no DNS.
///
/// The sidecar's own connections are those of `sidecar_users` or `sidecar_groups`, or with `sidecar_mark`.
/// They leave as they are, except when they come back to this very pod: those count as inbound.
struct Redirection {
  std::uint16_t outbound_port = 15001;
  std::uint16_t inbound_port = 15006;
  std::uint16_t tunnel_port = 15008;  ///< HBONE: never redirected

  std::vector<std::uint32_t> sidecar_users = {kSidecarId};
  std::vector<std::uint32_t> sidecar_groups = {kSidecarId};
  std::uint32_t sidecar_mark = 0;  ///< 0: none
  std::uint32_t probe_mark = 0;    ///< 0: none

  /// What these interfaces carry is left alone in both directions.
  std::vector<std::string> excluded_interfaces;
  /// What comes in here (virtual machines, containers in the pod) counts as outbound.
  std::vector<std::string> virtual_interfaces;

  bool all_inbound = true;
  std::vector<std::uint16_t> inbound_ports;                                   ///< when not all
  std::vector<std::uint16_t> excluded_inbound_ports = {15020, 15021, 15090};  ///< when all

  bool all_outbound = true;
  std::vector<Network> outbound_ranges;  ///< when not all
  std::vector<Network> excluded_outbound_ranges;
  std::vector<std::uint16_t> outbound_ports;  ///< even outside the ranges
  std::vector<std::uint16_t> excluded_outbound_ports;

  /// Only these groups' connections are captured; empty: all.
  std::vector<std::uint32_t> captured_groups;
  std::vector<std::uint32_t> uncaptured_groups;

  /// Questions to port 53 that go to the sidecar.
  struct Dns {
    bool to_any_server = false;
    std::vector<Network> servers;
    std::uint16_t port = 15053;
  };
  std::optional<Dns> dns;

  bool drop_invalid = false;  ///< packets that belong to no connection's window
  bool ipv6 = false;          ///< the same rules for IPv6
  /// Connections to these IPv4 addresses stay between the application and its neighbours in the pod.
  Network loopback = {.family = Family::kIpv4, .bytes = {127, 0, 0, 1}, .prefix = 32};
};

/// For a pod of the one-machine runtime: its sidecar is known by a mark as well, and all of 127.0.0.0/8 is
/// the pod's own.
Redirection one_machine();

}  // namespace weft::capture

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace weft::capture {

/// What of a pod's TCP traffic goes through its sidecar, with Istio's ports as defaults.
///
/// The sidecar's own connections are those with `sidecar_mark`, or of user or group `sidecar_id` where a
/// proxy cannot mark its sockets. They leave as they are, except when they come back to this very pod: those
/// count as inbound.
struct Redirection {
  std::uint16_t outbound_port = 15001;
  std::uint16_t inbound_port = 15006;
  std::uint32_t sidecar_mark = 1337;
  std::uint32_t sidecar_id = 1337;
  /// Connections of the runtime's probes: they reach the application directly.
  std::uint32_t probe_mark = 1338;
  /// The address from which the sidecar connects to its application.
  std::uint32_t inbound_source = 0x7f000006;
  /// The sidecar's own ports: connections to them are left alone.
  std::vector<std::uint16_t> excluded_inbound_ports = {15008, 15020, 15021, 15090};
};

}  // namespace weft::capture

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/fields.h"
#include "api/place.h"

namespace weft::api::istio {

enum class Balancer : std::uint8_t { kUnspecified, kRoundRobin, kLeastRequest, kRandom, kPassthrough };

enum class UpgradePolicy : std::uint8_t { kDefault, kDoNotUpgrade, kUpgrade };

enum class ClientTls : std::uint8_t {
  kDisable,
  kSimple,
  kMutual,
  kIstioMutual,
  kOther  ///< a word that is none of these
};

struct TcpPool {
  std::optional<std::uint32_t> max_connections;
  std::optional<std::chrono::milliseconds> connect_timeout;
};

struct HttpPool {
  std::optional<std::uint32_t> http1_max_pending_requests, http2_max_requests, max_requests_per_connection,
      max_retries, max_concurrent_streams;
  std::optional<std::chrono::milliseconds> idle_timeout;
  std::optional<UpgradePolicy> h2_upgrade_policy;
  std::optional<bool> use_client_protocol;
};

/// What is absent in it has the mesh's default.
struct ConnectionPool {
  TcpPool tcp;
  HttpPool http;
};

struct PortTls {
  std::uint16_t port = 0;
  std::optional<ClientTls> mode;
};

/// Blocks, of which each that is there takes the place of the one of a wider policy as a whole, as in Istio.
struct TrafficPolicy {
  std::optional<Balancer> balancer;
  std::optional<ConnectionPool> pool;
  std::optional<ClientTls> tls;
  /// Of portLevelSettings what decides about TLS: a port that is to have it must not go without (decision
  /// 66).
  std::vector<PortTls> tls_of_ports;
  /// Of calls to one port.
  std::optional<ClientTls> tls_at(std::uint16_t port) const;
};

struct Subset {
  Place where;
  std::string name;
  Labels labels;
  std::optional<TrafficPolicy> policy;  ///< absent: it says nothing
};

/// Istio's DestinationRule, as its spec says it. Immutable once it is shared; any thread.
struct DestinationRule {
  std::string host;                     ///< as written
  std::optional<TrafficPolicy> policy;  ///< absent: it says nothing
  std::vector<Subset> subsets;
  bool exported = true;  ///< to other namespaces
};

/// Of any spec, checked or not: what is absent or wrong reads as absent, and places stay what they are. A
/// pure function; any thread.
DestinationRule read_destination_rule(const Json& spec);

}  // namespace weft::api::istio

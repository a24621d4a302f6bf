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

/// What is absent is left to the pool that this one is laid over.
struct HttpPool {
  std::optional<std::uint32_t> http1_max_pending_requests, http2_max_requests, max_requests_per_connection,
      max_retries, max_concurrent_streams;
  std::optional<std::chrono::milliseconds> idle_timeout;
  std::optional<UpgradePolicy> h2_upgrade_policy;
  std::optional<bool> use_client_protocol;
};

struct PortTls {
  std::uint16_t port = 0;
  std::optional<ClientTls> mode;
};

struct TrafficPolicy {
  std::optional<Balancer> balancer;
  TcpPool tcp;
  HttpPool http;
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

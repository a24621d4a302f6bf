#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/error.h"
#include "capture/redirection.h"
#include "local/network_namespace.h"

namespace weft::local {

class PodNetwork;

/// A pod's own network: its namespace, address and interface. Gives the address back when it ends.
class PodInterface {
 public:
  PodInterface(PodNetwork& network, NetworkNamespace space, std::uint32_t address, std::string interface);
  PodInterface(const PodInterface&) = delete;
  PodInterface& operator=(const PodInterface&) = delete;
  ~PodInterface();

  const NetworkNamespace& space() const { return space_; }
  std::string ip() const;
  /// Gives the kernel the pod's rules for the addresses of Services (capture/services.h).
  Result<void> lead_to_services(const std::string& transaction) const;

 private:
  PodNetwork& network_;
  NetworkNamespace space_;
  std::uint32_t address_;
  std::string interface_;
};

/// The instance's network: a bridge in the supervisor's namespace and an interface for each pod.
///
/// Owner: the supervisor. Thread: its own. How it ends: the kernel takes everything with the namespace.
class PodNetwork {
 public:
  static constexpr std::uint32_t kNetwork = (10u << 24) | (244u << 16);  ///< 10.244.0.0
  static constexpr std::uint8_t kPrefix = 16;
  static constexpr std::uint32_t kGateway = kNetwork + 1;

  /// Makes the bridge; the calling process is in a network namespace of its own.
  Result<void> start();
  /// A namespace with an address, routes, and, when `captured` is there, the rules that lead that of its
  /// traffic through a sidecar. The address is `wanted` when that is free. Errors: kExhausted when 65,533
  /// pods are there.
  Result<std::unique_ptr<PodInterface>> add(const std::string& wanted,
                                            const std::optional<capture::Redirection>& captured);

 private:
  friend class PodInterface;
  Result<std::uint32_t> take_address(const std::string& wanted);
  Result<void> connect(const NetworkNamespace& space, const std::string& interface, std::uint32_t address,
                       const std::optional<capture::Redirection>& captured);
  void release(std::uint32_t address, const std::string& interface);

  std::set<std::uint32_t> used_;
  std::uint32_t next_ = kGateway;
  unsigned interfaces_ = 0;
};

/// "10.244.0.7".
std::string dotted(std::uint32_t address);

}  // namespace weft::local

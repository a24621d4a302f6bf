#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "capture/rules.h"

namespace weft::capture {

/// An IPv4 address in host order, and a port.
struct Place {
  std::uint32_t address = 0;
  std::uint16_t port = 0;
  bool operator==(const Place&) const = default;
};

/// A port of a Service and who serves it.
struct ServiceFront {
  Place at;
  std::vector<Place> endpoints;  ///< ready ones
  bool operator==(const ServiceFront&) const = default;
};

/// What stands for kube-proxy in a pod's network: a connection to a Service's address goes to one of its
/// endpoints, chosen at random; one to an address of `range` or a port that none of them serves is rejected
/// at once (TCP: a reset, else ICMP port unreachable).
///
/// A connection that the capture rules send to the sidecar is none of these rules' business: of two nat
/// chains of one hook the kernel asks the second only about what the first left alone. They serve pods
/// without a sidecar, and what a sidecar passes through to where the application wanted it to go.
struct Services {
  Network range;
  std::vector<ServiceFront> fronts;
};

RuleSet rules_of(const Services& services);

/// One nf_tables transaction that puts the rules in place of those of an earlier one and leaves capture's
/// alone. The same bytes do for every pod.
std::string transaction_of(const Services& services);
/// Gives it to the kernel, in the calling thread's network namespace. Blocks until it has
/// replied; connections that are established go on. Needs CAP_NET_ADMIN there. Errors: as install().
Result<void> install_services(const std::string& transaction);

}  // namespace weft::capture

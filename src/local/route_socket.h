#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/socket.h"

namespace weft::local {

/// Interfaces, addresses and routes of one network namespace, by rtnetlink: that in which it was opened.
///
/// Owner: the code that sets up a namespace. Each call blocks for one exchange with the kernel. Errors name
/// what was being done.
class RouteSocket {
 public:
  static Result<RouteSocket> open();

  Result<void> add_bridge(std::string_view name);
  /// A pair of interfaces: `name` here, `peer` in the namespace behind `peer_namespace`.
  Result<void> add_veth(std::string_view name, std::string_view peer, int peer_namespace);
  Result<void> set_up(std::string_view name);
  /// Makes `name` a port of the bridge `master`, and up.
  Result<void> attach(std::string_view name, std::string_view master);
  /// `address` in host order.
  Result<void> add_address(std::string_view name, std::uint32_t address, std::uint8_t prefix);
  Result<void> add_default_route(std::uint32_t gateway);
  Result<void> remove(std::string_view name);

 private:
  explicit RouteSocket(net::Fd fd) : fd_(std::move(fd)) {}
  Result<void> exchange(std::string message, const std::string& doing);
  net::Fd fd_;
};

}  // namespace weft::local

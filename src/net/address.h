#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::net {

/// An IPv4, IPv6 or Unix socket address. A value; any thread.
class Address {
 public:
  Address() { storage_.generic.sa_family = AF_UNSPEC; }
  /// A numeric IPv4 or IPv6 address, without brackets. Names are not resolved here.
  static Result<Address> parse_ip(std::string_view ip, std::uint16_t port);
  /// "127.0.0.1:80", "[::1]:80".
  static Result<Address> parse_ip_port(std::string_view text);
  /// A path of at most 107 bytes.
  static Result<Address> unix_path(std::string_view path);
  static Address from(const sockaddr* address, socklen_t length);

  int family() const { return storage_.generic.sa_family; }
  bool is_ip() const { return family() == AF_INET || family() == AF_INET6; }
  bool is_v4() const { return family() == AF_INET; }
  bool is_unix() const { return family() == AF_UNIX; }
  bool empty() const { return family() == AF_UNSPEC; }
  bool is_any() const;       ///< 0.0.0.0 or ::
  bool is_loopback() const;  ///< 127.0.0.0/8 or ::1
  std::uint16_t port() const;
  Address with_port(std::uint16_t port) const;

  std::string ip() const;         ///< "10.0.0.1", "::1"; empty for others
  std::string to_string() const;  ///< "10.0.0.1:80", "[::1]:80", a Unix path, or "-"

  const sockaddr* data() const { return &storage_.generic; }
  socklen_t size() const { return length_; }
  bool operator==(const Address& other) const;

 private:
  // The largest member is first, so that initializing it clears them all.
  union {
    sockaddr_un local;
    sockaddr generic;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } storage_{};
  socklen_t length_ = 0;
};

}  // namespace weft::net

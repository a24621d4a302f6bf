#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::capture {

enum class Family : std::uint8_t { kIpv4, kIpv6 };

/// A range of addresses in CIDR form; one address is the range of its full length.
struct Network {
  Family family = Family::kIpv4;
  std::array<std::uint8_t, 16>
      bytes{};  ///< in network order, of IPv4 the first four; bits behind the prefix are 0
  std::uint8_t prefix = 32;

  /// One IPv4 address, given in host order.
  static Network of(std::uint32_t address);
  /// "10.0.0.0/8", "fd00::/8", or an address alone. Bits behind the prefix are cleared. Errors: kInvalid.
  static Result<Network> parse(std::string_view text);

  bool contains(const Network& other) const;
  bool is_loopback() const;
  /// How many bytes an address has.
  std::size_t size() const { return family == Family::kIpv4 ? 4 : 16; }
  bool is_one_address() const { return prefix == size() * 8; }
  std::string address() const;
  /// As `nft` writes it: without the prefix when it is one address.
  std::string to_string() const;
};

}  // namespace weft::capture

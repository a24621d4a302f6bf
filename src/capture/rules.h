#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "capture/redirection.h"

namespace weft::capture {

enum class Chain : std::uint8_t { kOutput, kPrerouting };

// What a packet, the first of a connection, may be asked. Addresses and ports are numbers in host order.
struct IsTcp {};
struct Mark {
  std::uint32_t value;
};
struct SocketUser {
  std::uint32_t id;
};
struct SocketGroup {
  std::uint32_t id;
};
struct ViaLoopback {};  ///< it leaves by the interface lo
struct SourceAddress {
  std::uint32_t address;
};
struct Destination {
  std::uint32_t network;
  std::uint8_t prefix;
  bool inside;
};
struct DestinationPort {
  std::uint16_t port;
};
using Match = std::variant<IsTcp, Mark, SocketUser, SocketGroup, ViaLoopback, SourceAddress, Destination,
                           DestinationPort>;

/// One rule: when all matches hold, the connection is left alone (`redirect_to` 0) or sent to a port of this
/// machine.
struct Rule {
  Chain chain;
  std::vector<Match> matches;
  std::uint16_t redirect_to = 0;
};

/// The rules in the order in which the kernel tries them.
std::vector<Rule> rules_of(const Redirection& redirection);

/// Table, chains and rules in the words of `nft list ruleset`.
std::string to_nft(const std::vector<Rule>& rules);

inline constexpr const char* kTable = "weft";
inline constexpr const char* name_of(Chain chain) {
  return chain == Chain::kOutput ? "output" : "prerouting";
}

}  // namespace weft::capture

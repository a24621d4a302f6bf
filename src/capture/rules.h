#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "capture/network.h"
#include "capture/redirection.h"

namespace weft::capture {

/// In the order in which they are made.
enum class Chain : std::uint8_t {
  kOutput,
  kPrerouting,
  kOutputZone,
  kPreroutingZone,
  kPreroutingInvalid,
  kServices,
  kServicesRest,
};

// What a packet, for nat the first of a connection, may be asked. Ports and marks are numbers in host order.
struct Protocol {
  std::uint8_t number;
};
/// Stands right behind a Protocol, or behind another Port.
struct Port {
  std::uint16_t number;
  bool equal = true;
  bool source = false;
};
struct Mark {
  std::uint32_t value;
};
struct SocketUser {
  std::uint32_t id;
};
struct SocketGroup {
  std::uint32_t id;
  bool equal = true;
};
struct ViaLoopback {};  ///< it leaves by the interface lo
struct InputInterface {
  std::string name;
};
struct OutputInterface {
  std::string name;
};
struct Source {
  Network network;
};
struct Destination {
  Network network;
  bool inside = true;
};
/// Holds for one packet in `of`, by chance.
struct OneOf {
  std::uint32_t of;
};
struct Invalid {};  ///< conntrack knows no connection that it could belong to
using Match = std::variant<Protocol, Port, Mark, SocketUser, SocketGroup, ViaLoopback, InputInterface,
                           OutputInterface, Source, Destination, OneOf, Invalid>;

struct Verdict {
  enum class Kind : std::uint8_t {
    kReturn,    ///< leave it alone
    kRedirect,  ///< to port `number` of this machine
    kZone,      ///< conntrack keeps it in zone `number`, unless an earlier rule chose one
    kDrop,
    kDestination,  ///< to port `number` of the IPv4 address `address`
    kReset,        ///< rejected, by a reset
    kUnreachable,  ///< rejected, as a port without a listener
  };
  Kind kind = Kind::kReturn;
  std::uint16_t number = 0;
  std::uint32_t address = 0;  ///< in host order
};

/// One rule: when all matches hold, the verdict.
struct Rule {
  Chain chain;
  std::vector<Match> matches;
  Verdict verdict = {};
};

/// The rules of one family, in the order in which the kernel tries them; a chain without rules is not made.
struct RuleSet {
  Family family;
  std::vector<Rule> rules;

  bool uses(Chain chain) const;
};

/// IPv4 always, then IPv6 when it is wanted.
std::vector<RuleSet> rules_of(const Redirection& redirection);

/// Tables, chains and rules in the syntax of `nft list ruleset`, which `nft -f` reads as well.
std::string to_nft(const std::vector<RuleSet>& sets);

/// The same for iptables-restore and ip6tables-restore: each takes the lines of its family and skips the
/// other's. Chains of ours begin with WEFT_.
std::string to_iptables(const std::vector<RuleSet>& sets);

inline constexpr const char* kTable = "weft";

/// What a chain is, in nf_tables' and in iptables' terms.
struct ChainKind {
  const char* name;
  const char* type;
  const char* hook;
  const char* priority_word;  ///< as nft lists it
  const char* iptables_table;
  const char* iptables_hook;
  const char* iptables_name;
  int priority;
  Chain chain;
};
inline constexpr ChainKind kChains[] = {
    {"output", "nat", "output", "-100", "nat", "OUTPUT", "WEFT_OUTPUT", -100, Chain::kOutput},
    {"prerouting", "nat", "prerouting", "dstnat", "nat", "PREROUTING", "WEFT_INBOUND", -100,
     Chain::kPrerouting},
    {"output_zone", "filter", "output", "raw", "raw", "OUTPUT", "WEFT_OUTPUT", -300, Chain::kOutputZone},
    {"prerouting_zone", "filter", "prerouting", "raw", "raw", "PREROUTING", "WEFT_INBOUND", -300,
     Chain::kPreroutingZone},
    {"prerouting_invalid", "filter", "prerouting", "mangle", "mangle", "PREROUTING", "WEFT_DROP", -150,
     Chain::kPreroutingInvalid},
    {"services", "nat", "output", "-99", "nat", "OUTPUT", "WEFT_SERVICES", -99, Chain::kServices},
    {"services_rest", "filter", "output", "filter", "filter", "OUTPUT", "WEFT_SERVICES", 0,
     Chain::kServicesRest},
};

}  // namespace weft::capture

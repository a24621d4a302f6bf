#include <netinet/in.h>

#include <algorithm>
#include <ranges>
#include <string_view>
#include <utility>

#include "base/strings.h"
#include "capture/rules.h"

namespace weft::capture {
namespace {

std::string negation(bool equal) { return equal ? "" : "! "; }

/// The options of one match.
struct Options {
  std::string operator()(Protocol match) const {
    return std::string("-p ") + (match.number == IPPROTO_TCP ? "tcp" : "udp");
  }
  /// Those that stand together are written by `ports`.
  std::string operator()(Port) const { return {}; }
  std::string operator()(Mark match) const { return "-m mark --mark " + std::to_string(match.value); }
  std::string operator()(SocketUser match) const {
    return "-m owner --uid-owner " + std::to_string(match.id);
  }
  std::string operator()(SocketGroup match) const {
    return "-m owner " + negation(match.equal) + "--gid-owner " + std::to_string(match.id);
  }
  std::string operator()(ViaLoopback) const { return "-o lo"; }
  std::string operator()(const InputInterface& match) const { return "-i " + match.name; }
  std::string operator()(const OutputInterface& match) const { return "-o " + match.name; }
  std::string operator()(const Source& match) const { return "-s " + with_prefix(match.network); }
  std::string operator()(const Destination& match) const {
    return negation(match.inside) + "-d " + with_prefix(match.network);
  }
  std::string operator()(OneOf match) const {
    return "-m statistic --mode random --probability " + std::to_string(1.0 / match.of);
  }
  std::string operator()(Invalid) const { return "-m conntrack --ctstate INVALID"; }

  static std::string with_prefix(const Network& network) {
    return network.address() + "/" + std::to_string(network.prefix);
  }
};

/// One port is asked by its protocol's own match, several by multiport.
std::string ports(const std::vector<Match>& matches) {
  std::vector<std::string> numbers;
  Port last{0};
  for (const Match& match : matches)
    if (const auto* port = std::get_if<Port>(&match)) {
      numbers.push_back(std::to_string(port->number));
      last = *port;
    }
  if (numbers.empty()) return {};
  const bool several = numbers.size() > 1;
  return (several ? "-m multiport " : "") + negation(last.equal) + (last.source ? "--sport" : "--dport") +
         (several ? "s " : " ") + join(numbers, ",") + " ";
}

std::string to_text(Verdict verdict) {
  switch (verdict.kind) {
    case Verdict::Kind::kReturn: return "-j RETURN";
    case Verdict::Kind::kRedirect: return "-j REDIRECT --to-ports " + std::to_string(verdict.number);
    case Verdict::Kind::kZone: return "-j CT --zone " + std::to_string(verdict.number);
    case Verdict::Kind::kDrop: return "-j DROP";
    case Verdict::Kind::kDestination:
      return "-j DNAT --to-destination " + Network::of(verdict.address).address() + ":" +
             std::to_string(verdict.number);
    case Verdict::Kind::kReset: return "-j REJECT --reject-with tcp-reset";
    case Verdict::Kind::kUnreachable: return "-j REJECT";
  }
  std::unreachable();
}

std::string to_options(const Rule& rule) {
  std::string text;
  bool ports_written = false;
  for (const Match& match : rule.matches) {
    if (!std::holds_alternative<Port>(match))
      text += std::visit(Options{}, match) + " ";
    else if (!std::exchange(ports_written, true))
      text += ports(rule.matches);
  }
  return text + to_text(rule.verdict);
}

const char* flag_of(Family family) { return family == Family::kIpv4 ? " -4 " : " -6 "; }

/// One of iptables' tables with our chains in it; empty when we have none there.
std::string to_table(std::string_view table, const std::vector<RuleSet>& sets) {
  std::string chains, rules;
  for (const ChainKind& kind : kChains) {
    const auto uses = [&](const RuleSet& set) { return set.uses(kind.chain); };
    if (kind.iptables_table != table || std::ranges::none_of(sets, uses)) continue;
    chains += std::string(":") + kind.iptables_name + " - [0:0]\n";
    for (const RuleSet& set : sets | std::views::filter(uses)) {
      rules +=
          std::string("-A ") + kind.iptables_hook + flag_of(set.family) + "-j " + kind.iptables_name + "\n";
      for (const Rule& rule : set.rules)
        if (rule.chain == kind.chain)
          rules += std::string("-A ") + kind.iptables_name + flag_of(set.family) + to_options(rule) + "\n";
    }
  }
  return chains.empty() ? "" : "*" + std::string(table) + "\n" + chains + rules + "COMMIT\n";
}

}  // namespace

std::string to_iptables(const std::vector<RuleSet>& sets) {
  std::string text;
  for (const std::string_view table : {"raw", "mangle", "nat"}) text += to_table(table, sets);
  return text;
}

}  // namespace weft::capture

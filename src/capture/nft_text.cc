#include <netinet/in.h>

#include <utility>

#include "capture/rules.h"

namespace weft::capture {
namespace {

std::string hexadecimal(std::uint32_t value) {
  std::string digits;
  for (int shift = 28; shift >= 0; shift -= 4) digits += "0123456789abcdef"[(value >> shift) & 0xf];
  return "0x" + digits;
}

const char* name_of(Protocol protocol) { return protocol.number == IPPROTO_TCP ? "tcp" : "udp"; }

/// Writes one match; a Protocol with a Port behind it is written by the Port.
class MatchText {
 public:
  explicit MatchText(Family family) : header_(family == Family::kIpv4 ? "ip" : "ip6") {}

  void expect(Protocol protocol) { protocol_ = protocol; }

  std::string operator()(Protocol match) const { return std::string("meta l4proto ") + name_of(match); }
  std::string operator()(Port match) const {
    return std::string(name_of(protocol_)) + (match.source ? " sport " : " dport ") +
           (match.equal ? "" : "!= ") + std::to_string(match.number);
  }
  std::string operator()(Mark match) const { return "meta mark " + hexadecimal(match.value); }
  std::string operator()(SocketUser match) const { return "meta skuid " + std::to_string(match.id); }
  std::string operator()(SocketGroup match) const {
    return std::string("meta skgid ") + (match.equal ? "" : "!= ") + std::to_string(match.id);
  }
  std::string operator()(ViaLoopback) const { return "oif \"lo\""; }
  std::string operator()(const InputInterface& match) const { return "iifname \"" + match.name + "\""; }
  std::string operator()(const OutputInterface& match) const { return "oifname \"" + match.name + "\""; }
  std::string operator()(const Source& match) const {
    return header_ + " saddr " + match.network.to_string();
  }
  std::string operator()(const Destination& match) const {
    return header_ + " daddr " + (match.inside ? "" : "!= ") + match.network.to_string();
  }
  std::string operator()(OneOf match) const { return "numgen random mod " + std::to_string(match.of) + " 0"; }
  std::string operator()(Invalid) const { return "ct state invalid"; }

 private:
  std::string header_;
  Protocol protocol_{IPPROTO_TCP};
};

std::string to_text(Verdict verdict) {
  switch (verdict.kind) {
    case Verdict::Kind::kReturn: return "return";
    case Verdict::Kind::kRedirect: return "redirect to :" + std::to_string(verdict.number);
    case Verdict::Kind::kZone: return "ct zone set " + std::to_string(verdict.number);
    case Verdict::Kind::kDrop: return "drop";
    case Verdict::Kind::kDestination:
      return "dnat to " + Network::of(verdict.address).address() + ":" + std::to_string(verdict.number);
    case Verdict::Kind::kReset: return "reject with tcp reset";
    case Verdict::Kind::kUnreachable: return "reject";
  }
  std::unreachable();
}

std::string to_line(const Rule& rule, Family family) {
  std::string line;
  MatchText match_text(family);
  for (std::size_t i = 0; i < rule.matches.size(); ++i) {
    const auto* protocol = std::get_if<Protocol>(&rule.matches[i]);
    if (protocol != nullptr) match_text.expect(*protocol);
    const bool last = i + 1 == rule.matches.size();
    const bool said_by_next =
        protocol != nullptr && (last ? rule.verdict.kind == Verdict::Kind::kReset
                                     : std::holds_alternative<Port>(rule.matches[i + 1]));
    if (!said_by_next) line += std::visit(match_text, rule.matches[i]) + " ";
  }
  return line + to_text(rule.verdict);
}

std::string to_table(const RuleSet& set) {
  std::string text = std::string("table ") + (set.family == Family::kIpv4 ? "ip " : "ip6 ") + kTable + " {\n";
  bool first = true;
  for (const ChainKind& kind : kChains) {
    if (!set.uses(kind.chain)) continue;
    text += std::string(std::exchange(first, false) ? "" : "\n") + "\tchain " + kind.name + " {\n\t\ttype " +
            kind.type + " hook " + kind.hook + " priority " + kind.priority_word + "; policy accept;\n";
    for (const Rule& rule : set.rules)
      if (rule.chain == kind.chain) text += "\t\t" + to_line(rule, set.family) + "\n";
    text += "\t}\n";
  }
  return text + "}\n";
}

}  // namespace

std::string to_nft(const std::vector<RuleSet>& sets) {
  std::string text;
  for (const RuleSet& set : sets) text += to_table(set);
  return text;
}

}  // namespace weft::capture

#include "capture/rules.h"

namespace weft::capture {
namespace {

constexpr std::uint32_t kLoopbackNetwork = 0x7f000000;
constexpr std::uint8_t kLoopbackPrefix = 8;
constexpr std::uint16_t kTunnelPort = 15008;

std::vector<Match> sidecar_matches(const Redirection& from) {
  return {Mark{from.sidecar_mark}, SocketUser{from.sidecar_id}, SocketGroup{from.sidecar_id}};
}

void add_output(std::vector<Rule>& rules, const Redirection& from) {
  const auto add = [&](std::vector<Match> matches, std::uint16_t to) {
    rules.push_back({Chain::kOutput, std::move(matches), to});
  };
  add({Mark{from.probe_mark}}, 0);
  add({ViaLoopback{}, SourceAddress{from.inbound_source}}, 0);
  add({ViaLoopback{}, IsTcp{}, DestinationPort{kTunnelPort}}, 0);
  // A pod that calls its own Service and is chosen: the sidecar's connection comes in like anybody's.
  for (const Match& sidecar : sidecar_matches(from))
    add({ViaLoopback{}, Destination{kLoopbackNetwork, kLoopbackPrefix, false}, sidecar, IsTcp{}},
        from.inbound_port);
  for (const Match& sidecar : sidecar_matches(from)) add({sidecar}, 0);
  add({ViaLoopback{}}, 0);
  add({Destination{kLoopbackNetwork, kLoopbackPrefix, true}}, 0);
  add({IsTcp{}}, from.outbound_port);
}

void add_prerouting(std::vector<Rule>& rules, const Redirection& from) {
  for (const std::uint16_t port : from.excluded_inbound_ports)
    rules.push_back({Chain::kPrerouting, {IsTcp{}, DestinationPort{port}}, 0});
  rules.push_back({Chain::kPrerouting, {IsTcp{}}, from.inbound_port});
}

std::string dotted(std::uint32_t address) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8)
    text += std::to_string((address >> shift) & 0xff) + (shift ? "." : "");
  return text;
}

std::string hexadecimal(std::uint32_t value) {
  std::string digits;
  for (int shift = 28; shift >= 0; shift -= 4) digits += "0123456789abcdef"[(value >> shift) & 0xf];
  return "0x" + digits;
}

struct Words {
  std::string operator()(IsTcp) const { return "meta l4proto tcp"; }
  std::string operator()(Mark match) const { return "meta mark " + hexadecimal(match.value); }
  std::string operator()(SocketUser match) const { return "meta skuid " + std::to_string(match.id); }
  std::string operator()(SocketGroup match) const { return "meta skgid " + std::to_string(match.id); }
  std::string operator()(ViaLoopback) const { return "oif \"lo\""; }
  std::string operator()(SourceAddress match) const { return "ip saddr " + dotted(match.address); }
  std::string operator()(Destination match) const {
    return std::string("ip daddr ") + (match.inside ? "" : "!= ") + dotted(match.network) + "/" +
           std::to_string(match.prefix);
  }
  std::string operator()(DestinationPort match) const { return "tcp dport " + std::to_string(match.port); }
};

std::string to_line(const Rule& rule) {
  std::string line;
  for (std::size_t i = 0; i < rule.matches.size(); ++i) {
    const bool said_by_next = std::holds_alternative<IsTcp>(rule.matches[i]) && i + 1 < rule.matches.size() &&
                              std::holds_alternative<DestinationPort>(rule.matches[i + 1]);
    if (!said_by_next) line += std::visit(Words{}, rule.matches[i]) + " ";
  }
  return line + (rule.redirect_to ? "redirect to :" + std::to_string(rule.redirect_to) : "return");
}

}  // namespace

std::vector<Rule> rules_of(const Redirection& redirection) {
  std::vector<Rule> rules;
  add_output(rules, redirection);
  add_prerouting(rules, redirection);
  return rules;
}

std::string to_nft(const std::vector<Rule>& rules) {
  std::string text = "table ip " + std::string(kTable) + " {\n";
  for (const Chain chain : {Chain::kOutput, Chain::kPrerouting}) {
    text += std::string(chain == Chain::kOutput ? "" : "\n") + "\tchain " + name_of(chain) +
            " {\n\t\ttype nat hook " + name_of(chain) + " priority dstnat; policy accept;\n";
    for (const Rule& rule : rules)
      if (rule.chain == chain) text += "\t\t" + to_line(rule) + "\n";
    text += "\t}\n";
  }
  return text + "}\n";
}

}  // namespace weft::capture

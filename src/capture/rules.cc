#include "capture/rules.h"

#include <netinet/in.h>

#include <algorithm>
#include <utility>

namespace weft::capture {
namespace {

constexpr std::uint16_t kDnsPort = 53;
// Conntrack zones keep the application's questions apart from the sidecar's, which may have the same ports.
constexpr std::uint16_t kSidecarZone = 1, kApplicationZone = 2;
constexpr Protocol kTcp{IPPROTO_TCP}, kUdp{IPPROTO_UDP};
constexpr Verdict kReturn{};

/// The address from which the sidecar connects to its application: 127.0.0.6 or ::6.
Network inbound_source(Family family) {
  if (family == Family::kIpv4) return {.family = family, .bytes = {127, 0, 0, 6}, .prefix = 32};
  Network made{.family = family, .bytes = {}, .prefix = 128};
  made.bytes[15] = 6;
  return made;
}

/// Makes one family's rules; the order of the calls is the order of the rules.
class Generator {
 public:
  Generator(const Redirection& from, RuleSet& into)
      : from_(from), family_(into.family), rules_(into.rules), dns_(asks_dns()) {
    outbound_ranges_ = of_family(from.outbound_ranges);
  }

  void generate() {
    add_output();
    add_prerouting();
    if (dns_) add_zones();
    if (from_.drop_invalid) add(Chain::kPreroutingInvalid, {Invalid{}}, {Verdict::Kind::kDrop});
  }

 private:
  void add_output() {
    for (const std::string& name : from_.excluded_interfaces) output({OutputInterface{name}});
    if (from_.probe_mark != 0) output({Mark{from_.probe_mark}});
    for (const Protocol protocol : {kTcp, kUdp})
      for (const std::uint16_t port : from_.excluded_outbound_ports) output({protocol, Port{port}});
    output({ViaLoopback{}, Source{inbound_source(family_)}});
    add_sidecar();
    add_owner_groups();
    if (dns_) add_dns();
    output({Destination{loopback()}});
    for (const Network& range : of_family(from_.excluded_outbound_ranges)) output(to(range, {}));
    for (const std::uint16_t port : from_.outbound_ports) output({kTcp, Port{port}}, to_outbound());
    if (from_.all_outbound) output({kTcp}, to_outbound());
    for (const Network& range : outbound_ranges_) output(to(range, {kTcp}), to_outbound());
  }

  /// What the sidecar sends, then what other processes send to this pod itself.
  void add_sidecar() {
    // A pod that calls its own Service and is chosen: the sidecar's connection comes in like any other.
    for (const Match& sidecar : sidecar_matches()) {
      std::vector<Match> matches = {ViaLoopback{}, Destination{loopback(), false}, kTcp};
      if (from_.dns) matches.push_back(Port{kDnsPort, false});
      matches.push_back(Port{from_.tunnel_port, false});
      matches.push_back(sidecar);
      output(std::move(matches), redirect(from_.inbound_port));
    }
    for (const Match& sidecar : sidecar_matches()) output({sidecar});
    // Who asks for the capture of a loopback range means the application's own connections.
    if (std::ranges::any_of(outbound_ranges_, &Network::is_loopback)) return;
    // A DNS server on this machine is asked over lo, and its port may be captured below.
    if (from_.dns)
      output({ViaLoopback{}, kTcp, Port{kDnsPort, false}});
    else
      output({ViaLoopback{}});
  }

  void add_owner_groups() {
    for (const std::uint32_t group : from_.uncaptured_groups) output({SocketGroup{group}});
    if (from_.captured_groups.empty()) return;
    std::vector<Match> none;
    for (const std::uint32_t group : from_.captured_groups) none.push_back(SocketGroup{group, false});
    output(std::move(none));
  }

  void add_dns() {
    for (const Protocol protocol : {kTcp, kUdp}) {
      if (from_.dns->to_any_server) output({protocol, Port{kDnsPort}}, redirect(from_.dns->port));
      for (const Network& server : servers())
        output({Destination{server}, protocol, Port{kDnsPort}}, redirect(from_.dns->port));
    }
  }

  void add_zones() {
    const Verdict sidecar_zone{Verdict::Kind::kZone, kSidecarZone};
    const Verdict application_zone{Verdict::Kind::kZone, kApplicationZone};
    for (const Match& sidecar : sidecar_matches()) {
      add(Chain::kOutputZone, {kUdp, Port{kDnsPort}, sidecar}, sidecar_zone);
      add(Chain::kOutputZone, {kUdp, Port{from_.dns->port, true, true}, sidecar}, application_zone);
    }
    if (from_.dns->to_any_server) {
      add(Chain::kOutputZone, {kUdp, Port{kDnsPort}}, application_zone);
      add(Chain::kPreroutingZone, {kUdp, Port{kDnsPort, true, true}}, sidecar_zone);
    }
    for (const Network& server : servers()) {
      add(Chain::kOutputZone, {Destination{server}, kUdp, Port{kDnsPort}}, application_zone);
      add(Chain::kPreroutingZone, {Source{server}, kUdp, Port{kDnsPort, true, true}}, sidecar_zone);
    }
  }

  void add_prerouting() {
    for (const std::string& name : from_.virtual_interfaces) {
      if (from_.all_outbound) prerouting({InputInterface{name}, kTcp}, to_outbound());
      for (const Network& range : outbound_ranges_) {
        std::vector<Match> matches = to(range, {kTcp});
        matches.insert(matches.begin(), InputInterface{name});
        prerouting(std::move(matches), to_outbound());
      }
      prerouting({InputInterface{name}});
    }
    for (const std::string& name : from_.excluded_interfaces) prerouting({InputInterface{name}});
    if (!from_.all_inbound && from_.inbound_ports.empty()) return;
    prerouting({kTcp, Port{from_.tunnel_port}});
    if (from_.all_inbound) {
      for (const std::uint16_t port : from_.excluded_inbound_ports) prerouting({kTcp, Port{port}});
      prerouting({kTcp}, redirect(from_.inbound_port));
    } else {
      for (const std::uint16_t port : from_.inbound_ports)
        prerouting({kTcp, Port{port}}, redirect(from_.inbound_port));
    }
  }

  bool asks_dns() const { return from_.dns && (from_.dns->to_any_server || !servers().empty()); }

  std::vector<Network> servers() const {
    return from_.dns->to_any_server ? std::vector<Network>{} : of_family(from_.dns->servers);
  }

  std::vector<Match> sidecar_matches() const {
    std::vector<Match> made;
    if (from_.sidecar_mark != 0) made.push_back(Mark{from_.sidecar_mark});
    for (const std::uint32_t user : from_.sidecar_users) made.push_back(SocketUser{user});
    for (const std::uint32_t group : from_.sidecar_groups) made.push_back(SocketGroup{group});
    return made;
  }

  Network loopback() const {
    if (family_ == Family::kIpv4) return from_.loopback;
    Network made{.family = family_, .bytes = {}, .prefix = 128};
    made.bytes[15] = 1;
    return made;
  }

  std::vector<Network> of_family(const std::vector<Network>& all) const {
    std::vector<Network> made;
    for (const Network& each : all)
      if (each.family == family_) made.push_back(each);
    return made;
  }

  /// Every address is in a range of prefix 0: there is nothing to ask.
  static std::vector<Match> to(const Network& range, std::vector<Match> rest) {
    if (range.prefix != 0) rest.insert(rest.begin(), Destination{range});
    return rest;
  }

  static Verdict redirect(std::uint16_t port) { return {Verdict::Kind::kRedirect, port}; }
  Verdict to_outbound() const { return redirect(from_.outbound_port); }

  void output(std::vector<Match> matches, Verdict verdict = kReturn) {
    add(Chain::kOutput, std::move(matches), verdict);
  }
  void prerouting(std::vector<Match> matches, Verdict verdict = kReturn) {
    add(Chain::kPrerouting, std::move(matches), verdict);
  }
  void add(Chain chain, std::vector<Match> matches, Verdict verdict) {
    rules_.push_back({chain, std::move(matches), verdict});
  }

  const Redirection& from_;
  Family family_;
  std::vector<Rule>& rules_;
  std::vector<Network> outbound_ranges_;
  bool dns_;
};

}  // namespace

Redirection one_machine() {
  Redirection made;
  made.sidecar_mark = kSidecarMark;
  made.probe_mark = kProbeMark;
  made.loopback = {.family = Family::kIpv4, .bytes = {127}, .prefix = 8};
  return made;
}

bool RuleSet::uses(Chain chain) const { return std::ranges::find(rules, chain, &Rule::chain) != rules.end(); }

std::vector<RuleSet> rules_of(const Redirection& redirection) {
  std::vector<RuleSet> sets = {{Family::kIpv4, {}}};
  if (redirection.ipv6) sets.push_back({Family::kIpv6, {}});
  for (RuleSet& set : sets) Generator(redirection, set).generate();
  return sets;
}

}  // namespace weft::capture

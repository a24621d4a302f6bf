#include "capture/services.h"

#include <netinet/in.h>

#include "capture/netfilter_message.h"

namespace weft::capture {
namespace {

void add_front(RuleSet& into, const ServiceFront& front) {
  for (std::size_t i = 0; i < front.endpoints.size(); ++i) {
    std::vector<Match> matches = {Destination{Network::of(front.at.address)}, Protocol{IPPROTO_TCP},
                                  Port{front.at.port}};
    // Each takes its share of what those before it have left.
    if (const std::size_t left = front.endpoints.size() - i; left > 1)
      matches.push_back(OneOf{static_cast<std::uint32_t>(left)});
    const Place& to = front.endpoints[i];
    into.rules.push_back(
        {Chain::kServices, std::move(matches), {Verdict::Kind::kDestination, to.port, to.address}});
  }
}

}  // namespace

RuleSet rules_of(const Services& services) {
  RuleSet set{Family::kIpv4, {}};
  set.rules.push_back({Chain::kServices, {Destination{services.range, false}}, {}});
  for (const ServiceFront& front : services.fronts) add_front(set, front);
  set.rules.push_back(
      {Chain::kServicesRest, {Destination{services.range}, Protocol{IPPROTO_TCP}}, {Verdict::Kind::kReset}});
  set.rules.push_back({Chain::kServicesRest, {Destination{services.range}}, {Verdict::Kind::kUnreachable}});
  return set;
}

std::string transaction_of(const Services& services) {
  return to_netlink_replacing_chains(rules_of(services));
}

}  // namespace weft::capture

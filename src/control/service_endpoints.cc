#include "control/service_endpoints.h"

#include <algorithm>
#include <tuple>

namespace weft::control {
namespace {

std::string_view family_of(std::string_view ip) {
  if (ip.empty()) return "";
  return ip.find(':') == ip.npos ? "IPv4" : "IPv6";
}

/// A Service of two families has slices of both, and a pod's addresses are to count once.
void choose_families(const Service& service, std::vector<Endpoint>& list, const Registry& registry) {
  const auto rank = [&](const Endpoint& endpoint) {
    const std::string_view family = family_of(endpoint.ip);
    const Workload* pod = registry.workload(service.ns, endpoint.pod);
    if (pod && family == family_of(pod->ip)) return 0;
    return service.family.empty() || family == service.family ? 1 : 2;
  };
  std::map<std::string, int> best;
  for (const Endpoint& each : list)
    if (!each.pod.empty()) {
      const int found = rank(each);
      int& known = best.try_emplace(each.pod, found).first->second;
      known = std::min(known, found);
    }
  std::erase_if(list, [&](const Endpoint& each) {
    auto found = best.find(each.pod);
    return rank(each) > (found == best.end() ? 1 : found->second);
  });
}

void add_slice(ServiceEndpoints& into, const Slice& slice, const Registry& registry) {
  for (const SlicePort& port : slice.ports) {
    auto& list = into.by_port[port.name];
    for (const SliceEndpoint& endpoint : slice.endpoints) {
      const Workload* pod = registry.workload(slice.ns, endpoint.pod);
      // Its labels decide which subsets it is in; it is added when the pod is seen.
      if (!pod && endpoint.is_pod) continue;
      Endpoint made{.ip = {},
                    .port = port.number,
                    .ready = endpoint.ready,
                    .ending = endpoint.ending,
                    .labels = pod ? pod->labels : Labels(),
                    .pod = endpoint.pod};
      for (const std::string& address : endpoint.addresses) {
        made.ip = address;
        list.push_back(made);
      }
    }
  }
}

}  // namespace

bool ServiceEndpoints::names_any_of(
    const std::set<std::pair<std::string_view, std::string_view>>& pods) const {
  return std::ranges::any_of(slices, [&](const auto& slice) {
    return std::ranges::any_of(slice->endpoints, [&](const SliceEndpoint& endpoint) {
      return !endpoint.pod.empty() && pods.contains({slice->ns, endpoint.pod});
    });
  });
}

ServiceEndpoints make_endpoints(const std::string& host, std::vector<std::shared_ptr<const Slice>> slices,
                                const Registry& registry) {
  ServiceEndpoints made{.host = host, .slices = std::move(slices), .by_port = {}};
  for (const auto& slice : made.slices) add_slice(made, *slice, registry);
  const Service* service = registry.find(host);
  for (auto& [port, list] : made.by_port) {
    if (service) choose_families(*service, list, registry);
    // An endpoint that moves from one slice to another is in both for a while; the better word will do.
    std::ranges::sort(list, {},
                      [](const Endpoint& e) { return std::tuple(e.ip, e.port, !e.ready, !e.ending, e.pod); });
    auto same = std::ranges::unique(
        list, [](const Endpoint& a, const Endpoint& b) { return a.ip == b.ip && a.port == b.port; });
    list.erase(same.begin(), same.end());
  }
  return made;
}

}  // namespace weft::control

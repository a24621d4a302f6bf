#include "control/registry.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/strings.h"
#include "control/carry_over.h"
#include "control/json.h"
#include "control/service_endpoints.h"
#include "control/service_objects.h"

namespace weft::control {
namespace {

constexpr std::string_view kSuffix = ".svc.cluster.local";

bool is_alias(const api::Object& object) { return json::text(object.spec(), "type") == "ExternalName"; }

/// `old` when it says the same.
template <class T>
std::shared_ptr<const T> kept_or_new(T made, const std::shared_ptr<const T>& old) {
  return old && *old == made ? old : std::make_shared<const T>(std::move(made));
}

constexpr auto kHost = [](const auto& each) -> const std::string& { return each->host; };

/// Null when no element has that host.
template <class T>
const std::shared_ptr<const T>& find_host(const std::vector<std::shared_ptr<const T>>& sorted,
                                          std::string_view host) {
  static const std::shared_ptr<const T> kNone;
  const auto found = std::ranges::lower_bound(sorted, host, {}, kHost);
  return found == sorted.end() || (*found)->host != host ? kNone : *found;
}

}  // namespace

/// All Services together.
struct Registry::ServiceTable {
  std::vector<std::shared_ptr<const Service>> list;  ///< by namespace, then name
  std::vector<std::shared_ptr<const Service>> by_host;
  /// Full name to full name; the last is a service's.
  std::map<std::string, std::string, std::less<>> aliases;
};

std::string full_host(std::string_view service, std::string_view ns) {
  return std::string(service) + "." + std::string(ns) + std::string(kSuffix);
}

Registry::Registry() : services_(std::make_shared<const ServiceTable>()) {}

Registry::Registry(const ObjectSnapshot& snapshot) : Registry(snapshot, ObjectSnapshot(), Registry()) {}

Registry::Registry(const ObjectSnapshot& snapshot, const ObjectSnapshot& old_snapshot, const Registry& old)
    : Registry(old) {
  std::set<std::string> hosts;  // whose endpoints are to be looked at
  read_services(snapshot, old_snapshot, hosts);
  read_workloads(snapshot, old_snapshot, hosts);
  auto slices = read_slices(snapshot, old_snapshot, hosts);
  if (hosts.empty()) return;
  read_endpoints(hosts, slices);
  find_conflicts();
}

void Registry::read_services(const ObjectSnapshot& snapshot, const ObjectSnapshot& old_snapshot,
                             std::set<std::string>& hosts) {
  if (snapshot.shares(kinds::service(), old_snapshot)) return;
  bool differs = false;
  const auto make = [](const api::ObjectPtr& object, const std::shared_ptr<const Service>& before) {
    return is_alias(*object) ? nullptr : kept_or_new(read_service(*object), before);
  };
  const auto note = [&](const auto& before, const auto& now) {
    hosts.insert((before ? before : now)->host);
    differs = true;
  };
  service_objects_ = carry_over(old_snapshot.all(kinds::service()), service_objects_,
                                snapshot.all(kinds::service()), make, note);
  auto aliases = read_aliases(snapshot);
  if (!differs && aliases == services_->aliases) return;
  services_ = make_services(std::move(aliases));
}

std::map<std::string, std::string, std::less<>> Registry::read_aliases(const ObjectSnapshot& snapshot) const {
  std::map<std::string, std::string, std::less<>> aliases;
  for (const auto& object : snapshot.all(kinds::service())) {
    if (!is_alias(*object)) continue;
    std::string to = to_lower(json::text(object->spec(), "externalName"));
    if (to.ends_with('.')) to.pop_back();
    aliases[full_host(object->name(), object->ns())] = std::move(to);
  }
  if (aliases.empty()) return aliases;
  std::set<std::string_view> hosts;
  for (const auto& each : service_objects_)
    if (each) hosts.insert(each->host);
  for (auto& [alias, to] : aliases) {
    // Aliases that lead round in a circle lead nowhere; the number of steps ends the walk.
    for (std::size_t steps = 0; steps < aliases.size() && !hosts.contains(to); ++steps) {
      auto next = aliases.find(to);
      if (next == aliases.end()) break;
      to = next->second;
    }
  }
  return aliases;
}

std::shared_ptr<const Registry::ServiceTable> Registry::make_services(
    std::map<std::string, std::string, std::less<>> aliases) const {
  std::map<std::string_view, std::vector<std::string>> aliases_of;
  for (const auto& [alias, to] : aliases) aliases_of[to].push_back(alias);
  auto made = std::make_shared<ServiceTable>();
  made->list.reserve(service_objects_.size());
  for (const auto& object : service_objects_) {
    if (!object) continue;
    const auto named = aliases_of.find(object->host);
    if (named == aliases_of.end()) {
      made->list.push_back(object);
      continue;
    }
    Service with = *object;
    with.aliases = named->second;
    const Service* before = find(object->host);
    const auto old = std::ranges::find(services_->list, before, &std::shared_ptr<const Service>::get);
    made->list.push_back(old == services_->list.end() ? std::make_shared<const Service>(std::move(with))
                                                      : kept_or_new(std::move(with), *old));
  }
  made->by_host = made->list;
  std::ranges::sort(made->by_host, {}, kHost);
  made->aliases = std::move(aliases);
  return made;
}

void Registry::read_workloads(const ObjectSnapshot& snapshot, const ObjectSnapshot& old_snapshot,
                              std::set<std::string>& hosts) {
  if (snapshot.shares(kinds::pod(), old_snapshot)) return;
  std::set<std::pair<std::string_view, std::string_view>> changed;
  const auto make = [](const api::ObjectPtr& object, const std::shared_ptr<const Workload>& before) {
    return kept_or_new(read_workload(*object), before);
  };
  const auto old = workloads_;
  workloads_ = carry_over(old_snapshot.all(kinds::pod()), old, snapshot.all(kinds::pod()), make,
                          [&](const auto& before, const auto& now) {
                            const Workload& one = before ? *before : *now;
                            changed.emplace(one.ns, one.name);
                          });
  if (changed.empty()) return;
  for (const auto& each : endpoints_)
    if (each->names_any_of(changed)) hosts.insert(each->host);
}

std::map<std::string, Registry::Slices> Registry::read_slices(const ObjectSnapshot& snapshot,
                                                              const ObjectSnapshot& old_snapshot,
                                                              std::set<std::string>& hosts) {
  std::map<std::string, Slices> slices;
  std::set<std::shared_ptr<const Slice>> removed;
  if (!snapshot.shares(kinds::endpoint_slice(), old_snapshot)) {
    const auto make = [](const api::ObjectPtr& object, const std::shared_ptr<const Slice>& before) {
      return json::text(object->body, "addressType") == "FQDN" ? nullptr
                                                               : kept_or_new(read_slice(*object), before);
    };
    const auto note = [&](const auto& before, const auto& now) {
      if (before) removed.insert(before), hosts.insert(before->host);
      if (now) slices[now->host].push_back(now), hosts.insert(now->host);
    };
    slices_ = carry_over(old_snapshot.all(kinds::endpoint_slice()), slices_,
                         snapshot.all(kinds::endpoint_slice()), make, note);
  }
  for (const std::string& host : hosts)
    if (const auto before = find_host(endpoints_, host))
      for (const auto& slice : before->slices)
        if (!removed.contains(slice)) slices[host].push_back(slice);
  return slices;
}

void Registry::read_endpoints(const std::set<std::string>& hosts, std::map<std::string, Slices>& slices) {
  std::vector<std::shared_ptr<const ServiceEndpoints>> merged;
  merged.reserve(endpoints_.size() + hosts.size());
  auto before = endpoints_.begin();
  for (const std::string& host : hosts) {
    for (; before != endpoints_.end() && (*before)->host < host; ++before) merged.push_back(*before);
    const bool known = before != endpoints_.end() && (*before)->host == host;
    if (auto found = slices.find(host); found != slices.end())
      merged.push_back(kept_or_new(make_endpoints(host, std::move(found->second), *this),
                                   known ? *before : std::shared_ptr<const ServiceEndpoints>()));
    if (known) ++before;
  }
  merged.insert(merged.end(), before, endpoints_.end());
  endpoints_ = std::move(merged);
}

/// By the addresses that ports of different Services have in common, each pair of ports once.
void Registry::find_conflicts() {
  conflicts_.clear();
  std::map<std::pair<std::string_view, std::uint16_t>, std::vector<ServicePortRef>> takers;
  for (const Service& service : services()) {
    if (service.selector.empty()) continue;
    for (const ServicePort& port : service.ports) {
      if (port.protocol == Protocol::kUdp) continue;
      for (const Endpoint& endpoint : endpoints(service, port))
        takers[{endpoint.ip, endpoint.port}].push_back({&service, &port});
    }
  }
  std::map<std::pair<const ServicePort*, const ServicePort*>, PortConflict> found;
  for (const auto& [address, refs] : takers) {
    const auto first = std::ranges::min_element(refs, decides_before);
    for (const ServicePortRef& each : refs)
      if (each.port->protocol != first->port->protocol)
        found.try_emplace(
            {first->port, each.port},
            PortConflict{first->service->ns, address.second, first->service->name, first->port->number,
                         first->port->protocol, each.service->name, each.port->number, each.port->protocol});
  }
  for (auto& [ports, conflict] : found) conflicts_.push_back(std::move(conflict));
  std::ranges::sort(conflicts_);
}

bool decides_before(const ServicePortRef& a, const ServicePortRef& b) {
  const auto rank = [](const ServicePortRef& ref) {
    return std::tie(ref.service->created, ref.service->ns, ref.service->name, ref.port->number);
  };
  const bool a_guesses = a.port->protocol == Protocol::kSniff,
             b_guesses = b.port->protocol == Protocol::kSniff;
  return a_guesses != b_guesses ? b_guesses : rank(a) < rank(b);
}

std::string to_text(const PortConflict& conflict) {
  const auto port = [](const std::string& service, std::uint16_t number, Protocol protocol) {
    return "Service " + service + " port " + std::to_string(number) + " (" +
           std::string(to_string(protocol)) + ")";
  };
  return port(conflict.service, conflict.port, conflict.protocol) + " and " +
         port(conflict.other, conflict.other_port, conflict.other_protocol) + " in namespace " + conflict.ns +
         " lead to the same port " + std::to_string(conflict.pod_port) + " of a pod, which is taken for " +
         std::string(to_string(conflict.protocol)) +
         ": a declared protocol comes before a sniffed one, then the older Service decides; give both the "
         "same "
         "appProtocol";
}

std::vector<Endpoint> receivers(const std::vector<Endpoint>& endpoints, const Labels& wanted) {
  std::vector<Endpoint> ready, ending;
  for (const Endpoint& each : endpoints) {
    if (!contains(each.labels, wanted)) continue;
    if (each.ready) ready.push_back(each);
    if (each.ending) ending.push_back(each);
  }
  return ready.empty() ? ending : ready;
}

bool Service::by_name(const Service& a, const Service& b) {
  return std::tie(a.ns, a.name) < std::tie(b.ns, b.name);
}

SharedList<Service> Registry::services() const { return SharedList<Service>(services_->list); }

SharedList<Service> Registry::services_of(std::string_view ns) const {
  const auto range = std::ranges::equal_range(
      services_->list, ns, {}, [](const auto& service) -> std::string_view { return service->ns; });
  return SharedList<Service>(range);
}

bool Registry::same_aliases(const Registry& other) const {
  return services_ == other.services_ || services_->aliases == other.services_->aliases;
}

const std::shared_ptr<const Service>& Registry::shared(std::string_view host) const {
  return find_host(services_->by_host, host);
}

const std::vector<Endpoint>& Registry::endpoints(const Service& service, const ServicePort& port) const {
  static const std::vector<Endpoint> kNone;
  const auto of_host = find_host(endpoints_, service.host);
  if (!of_host) return kNone;
  const auto found = of_host->by_port.find(port.name);
  return found == of_host->by_port.end() ? kNone : found->second;
}

const Workload* Registry::workload(std::string_view ns, std::string_view pod) const {
  const auto found = std::ranges::lower_bound(workloads_, std::pair(ns, pod), {}, [](const auto& each) {
    return std::pair<std::string_view, std::string_view>(each->ns, each->name);
  });
  return found == workloads_.end() || (*found)->ns != ns || (*found)->name != pod ? nullptr : found->get();
}

std::string Registry::resolve_destination(std::string_view host, std::string_view ns) const {
  std::string name = resolve(host, ns);
  auto parts = split(name, '.');
  bool short_form = parts.size() == 2 || (parts.size() == 3 && parts[2] == "svc");
  auto alias = services_->aliases.find(short_form ? full_host(parts[0], parts[1]) : name);
  return alias == services_->aliases.end() ? name : alias->second;
}

std::string Registry::resolve(std::string_view written, std::string_view ns) const {
  // Host names know no case (RFC 9110, 4.2.3), and everything they are compared with is lower case.
  std::string host = to_lower(written);
  if (host.find('.') == host.npos && host != "*") return full_host(host, ns);
  if (find(host)) return host;
  auto parts = split(host, '.');
  bool short_form = parts.size() == 2 || (parts.size() == 3 && parts[2] == "svc");
  if (short_form && find(full_host(parts[0], parts[1]))) return full_host(parts[0], parts[1]);
  return host;
}

}  // namespace weft::control

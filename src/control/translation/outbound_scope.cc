#include "control/translation/outbound_scope.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "control/service_endpoints.h"
#include "control/translation/parts.h"

namespace weft::control {
namespace {

/// The service that a cluster, its endpoints or a table of its own belongs to; else anything.
std::string_view host_in(Type type, std::string_view name) {
  return type == Type::kRoute ? name.substr(0, name.rfind(':')) : name.substr(name.rfind('|') + 1);
}

/// The services that these hosts name, each once, in any order.
std::vector<std::shared_ptr<const Service>> services_of(const Registry& registry,
                                                        std::initializer_list<const Names*> hosts) {
  std::set<std::string_view> all;
  for (const Names* names : hosts) all.insert(names->begin(), names->end());
  std::vector<std::shared_ptr<const Service>> found;
  for (const std::string_view host : all)
    if (auto service = registry.shared(host)) found.push_back(std::move(service));
  return found;
}

std::vector<std::shared_ptr<const Service>> all_services(const Registry& registry) {
  const auto all = registry.services().pointers();
  return {all.begin(), all.end()};
}

/// Which wildcards some service's host matches, at the cost of one look at the services.
class ServiceWildcards {
 public:
  explicit ServiceWildcards(const Registry& registry) {
    for (const Service& service : registry.services())
      reversed_.emplace_back(service.host.rbegin(), service.host.rend());
    std::ranges::sort(reversed_);
  }
  /// Of "*" and what hosts are to end with.
  bool match(std::string_view pattern) const {
    const std::string ending(pattern.rbegin(), std::prev(pattern.rend()));
    // What is longer than the ending comes right behind it.
    const auto next = std::ranges::upper_bound(reversed_, ending);
    return next != reversed_.end() && next->starts_with(ending);
  }

 private:
  std::vector<std::string> reversed_;
};

/// A rule for hosts that are all Services' has none of them.
bool may_differ_in_foreign_hosts(const PushContext& push, const Changes& changes) {
  return changes.everything || !changes.services.empty() ||
         !std::ranges::all_of(changes.rules,
                              [&](const std::string& host) { return push.registry.find(host) != nullptr; });
}

}  // namespace

OutboundScope::OutboundScope(ScopeKey key, Proof* proof) : key_(std::move(key)), proof_(proof) {
  proxy_.kind = key_.kind;
  proxy_.ns = key_.ns;
  proxy_.labels = key_.labels;
}

void OutboundScope::update(const PushContext& push, const Changes& changes) {
  update_clusters(push, changes);
  if (key_.kind == ProxyIdentity::Kind::kGateway) return;
  update_listeners(push, changes);
  update_port_tables(push, changes);
  update_sniffed_tables(push, changes);
}

OutboundScope::ForeignHosts OutboundScope::foreign_hosts(const PushContext& push, std::string_view ns) {
  ForeignHosts found;
  std::map<std::string_view, std::size_t> places;
  std::optional<ServiceWildcards> wildcards;
  const auto is_of_service = [&](const std::string& name) {
    // A call to an ExternalName is one to what it leads to, and so are its rules.
    if (!name.starts_with('*'))
      return push.registry.find(push.registry.resolve_destination(name, ns)) != nullptr;
    if (!wildcards) wildcards.emplace(push.registry);
    return wildcards->match(name);
  };
  for (const VirtualService& rule : push.rules.virtual_services()) {
    if (!rule.applies_to(kMesh) || !rule.visible_from(ns)) continue;
    for (const std::string& name : rule.hosts) {
      if (name == "*" || is_of_service(name)) continue;
      const auto [place, is_new] = places.try_emplace(name, found.size());
      if (is_new) found.push_back({name, {}});
      found[place->second].rules.push_back(&rule);
    }
  }
  return found;
}

bool OutboundScope::same_domains(const Host& a, const Host& b) {
  return a.piece == b.piece || (a.piece && b.piece && a.piece->domains == b.piece->domains);
}

RouteScope OutboundScope::route_scope(const PushContext& push, std::uint16_t port) const {
  return {push, proxy_, std::string(kMesh), port};
}

void OutboundScope::update_clusters(const PushContext& push, const Changes& changes) {
  ResourceLists made;
  if (changes.everything) add_black_hole(made);
  const bool all = changes.everything || changes.any_destination_host;
  for (const auto& service :
       all ? all_services(push.registry)
           : services_of(push.registry, {&changes.services, &changes.endpoints, &changes.destinations}))
    add_service_clusters(made, push, *service, proxy_);
  Names hosts = changes.services;
  hosts.insert(hosts.end(), changes.destinations.begin(), changes.destinations.end());
  if (all)
    for (const Service& service : push.registry.services()) hosts.push_back(service.host);
  sort_names(hosts);
  const Names clusters = names_of(Type::kCluster, hosts), endpoints = names_of(Type::kEndpoint, hosts);
  replace(Type::kCluster, std::move(made[index_of(Type::kCluster)]), clusters);
  replace(Type::kEndpoint, std::move(made[index_of(Type::kEndpoint)]), endpoints);
}

void OutboundScope::update_listeners(const PushContext& push, const Changes& changes) {
  const auto passes_bytes = [&](const std::string& host) {
    const Service* service = push.registry.find(host);
    return service && !std::ranges::all_of(service->ports,
                                           [](const ServicePort& port) { return is_http(port.protocol); });
  };
  const auto is_headless = [&](const std::string& host) {
    const Service* service = push.registry.find(host);
    return service && service->headless;
  };
  const bool concerned = changes.everything || changes.any_rule_host || !changes.services.empty() ||
                         std::ranges::any_of(changes.rules, passes_bytes) ||
                         std::ranges::any_of(changes.endpoints, is_headless);
  if (!concerned) return;
  ResourceLists made;
  add_outbound_listeners(made, push, proxy_);
  Names before;
  for (const ResourcePtr& each : *table(Type::kListener)) before.push_back(each->name);
  replace(Type::kListener, std::move(made[index_of(Type::kListener)]), before);
}

void OutboundScope::update_port_tables(const PushContext& push, const Changes& changes) {
  if (!changes.everything && changes.services.empty() && changes.rules.empty()) return;
  if (!changes.any_rule_host && !may_differ_in_foreign_hosts(push, changes))
    return update_hosts_in_place(push, changes.rules);
  const std::set<std::uint16_t> numbers = http_ports(push.registry);
  Names gone;
  for (const auto& [port, table] : ports_)
    if (!numbers.contains(port)) gone.push_back(std::to_string(port));
  sort_names(gone);
  std::erase_if(ports_, [&](const auto& entry) { return !numbers.contains(entry.first); });
  const auto foreign =
      may_differ_in_foreign_hosts(push, changes) ? std::optional(foreign_hosts(push, key_.ns)) : std::nullopt;
  std::vector<ResourcePtr> made;
  for (std::uint16_t port : numbers) {
    const bool is_new = !ports_.contains(port);
    PortTable& table = ports_[port];
    if (update_port_table(table, port, push, changes, foreign ? &*foreign : nullptr) || is_new)
      made.push_back(std::make_shared<const Resource>(port_table(table, port)));
  }
  replace(Type::kRoute, std::move(made), gone);
}

/// What rules say of some Services has changed, and nothing else: every table has the hosts that it had.
void OutboundScope::update_hosts_in_place(const PushContext& push, const Names& names) {
  const auto services = services_of(push.registry, {&names});
  std::vector<ResourcePtr> made;
  for (auto& [port, table] : ports_) {
    const RouteScope scope = route_scope(push, port);
    bool changed = false;
    for (const auto& service : services) {
      const ServicePort* at = service->find_port(port);
      if (at && is_http(at->protocol)) changed = update_host_in_place(table, service, *at, scope) || changed;
    }
    if (changed) made.push_back(std::make_shared<const Resource>(port_table(table, port)));
  }
  replace(Type::kRoute, std::move(made), {});
}

/// Whether it has changed.
bool OutboundScope::update_host_in_place(PortTable& table, const std::shared_ptr<const Service>& service,
                                         const ServicePort& port, const RouteScope& scope) const {
  const auto found = std::ranges::partition_point(table.hosts, [&](const Host& host) {
    return host.service && Service::by_name(*host.service, *service);
  });
  WEFT_ASSERT(found != table.hosts.end() && found->service == service);
  Host made = made_host(service, port, &*found, scope, service_host);
  const bool changed = made.piece != found->piece;
  if (!same_domains(made, *found)) table.unique = false;
  *found = std::move(made);
  return changed;
}

/// Whether it has changed. Without `foreign_hosts` its own stay.
bool OutboundScope::update_port_table(PortTable& table, std::uint16_t port, const PushContext& push,
                                      const Changes& changes, const ForeignHosts* foreign_hosts) {
  const RouteScope scope = route_scope(push, port);
  std::vector<Host> hosts;
  hosts.reserve(table.hosts.size() + 1);
  const auto foreign = std::ranges::find(table.hosts, nullptr, &Host::service);
  auto before = table.hosts.begin();
  for (const auto& service : push.registry.services().pointers()) {
    const ServicePort* at = service->find_port(port);
    if (!at || !is_http(at->protocol)) continue;
    while (before != foreign && before->service != service && Service::by_name(*before->service, *service))
      ++before;
    const bool known = before != foreign && before->service == service;
    if (known && !changes.rule_of(service->host))
      hosts.push_back(*before);
    else
      hosts.push_back(made_host(service, *at, known ? &*before : nullptr, scope, service_host));
  }
  if (foreign_hosts)
    add_foreign_hosts(hosts, table, scope, *foreign_hosts);
  else
    hosts.insert(hosts.end(), foreign, table.hosts.end());
  const auto same_piece = [](const Host& a, const Host& b) { return a.piece == b.piece; };
  const bool changed = !std::ranges::equal(hosts, table.hosts, same_piece);
  if (!std::ranges::equal(hosts, table.hosts, same_domains)) table.unique = false;
  table.hosts = std::move(hosts);
  return changed;
}

/// Reachable at every HTTP port.
void OutboundScope::add_foreign_hosts(std::vector<Host>& hosts, const PortTable& before,
                                      const RouteScope& scope, const ForeignHosts& foreign_hosts) const {
  std::map<std::pair<std::string_view, std::uint64_t>, const Host*> known;
  for (const Host& host : before.hosts)
    if (!host.service) known.emplace(std::pair(std::string_view(host.name), host.rule), &host);
  for (const ForeignHost& each : foreign_hosts) {
    const auto decides = [&](const VirtualService* rule) {
      return rule->decides(Layer::kHttp, scope.approach());
    };
    const auto rule = std::ranges::find_if(each.rules, decides);
    if (rule == each.rules.end()) continue;
    const std::string name(each.name);
    const auto found = known.find({each.name, (*rule)->meaning});
    if (found != known.end())
      hosts.push_back(*found->second);
    else
      hosts.push_back({nullptr, name, (*rule)->meaning, foreign_host(name, **rule, scope, proof_)});
  }
}

OutboundScope::Host OutboundScope::made_host(const std::shared_ptr<const Service>& service,
                                             const ServicePort& port, const Host* before,
                                             const RouteScope& scope, MakeHost& make) const {
  const VirtualService* rule =
      scope.push.rules.for_mesh(service->host, key_.ns, Layer::kHttp, scope.approach());
  const std::uint64_t meaning = rule ? rule->meaning : 0;
  if (before && before->service == service && before->rule == meaning) return *before;
  return {service, {}, meaning, make(*service, port, rule, scope, proof_)};
}

Resource OutboundScope::port_table(PortTable& table, std::uint16_t port) const {
  std::vector<HostPiecePtr> pieces;
  pieces.reserve(table.hosts.size() + 1);
  for (const Host& host : table.hosts)
    if (host.piece) pieces.push_back(host.piece);
  pieces.push_back(allow_any_host(proof_));
  if (proof_ && !table.unique) table.unique = has_unique_domains(pieces);
  if (proof_ && !table.unique) pieces = with_unique_domains(pieces);
  return make_table(std::to_string(port), pieces);
}

void OutboundScope::update_sniffed_tables(const PushContext& push, const Changes& changes) {
  const bool all = changes.everything || changes.any_rule_host;
  Names hosts = changes.services, gone;
  if (!all) {
    hosts.insert(hosts.end(), changes.rules.begin(), changes.rules.end());
    hosts.insert(hosts.end(), changes.endpoints.begin(), changes.endpoints.end());
    sort_names(hosts);
  }
  std::map<std::string, Host, std::less<>> now;
  std::vector<ResourcePtr> made;
  for (const auto& service : all ? all_services(push.registry) : services_of(push.registry, {&hosts}))
    for (const ServicePort& port : service->ports) {
      if (port.protocol != Protocol::kSniff || addresses_of(push.registry, *service, port).empty()) continue;
      const std::string name = sniffed_table(*service, port);
      const auto before = sniffed_.find(name);
      const bool known = before != sniffed_.end();
      Host host = made_host(service, port, known ? &before->second : nullptr, route_scope(push, port.number),
                            only_host);
      if (!known || host.piece != before->second.piece)
        made.push_back(std::make_shared<const Resource>(table_of_pieces(name, {host.piece}, proof_)));
      now.emplace(name, std::move(host));
    }
  for (auto it = sniffed_.begin(); it != sniffed_.end();) {
    const bool looked_at = all || contains(hosts, host_in(Type::kRoute, it->first));
    if (looked_at && !now.contains(it->first)) gone.push_back(it->first);
    it = looked_at ? sniffed_.erase(it) : std::next(it);
  }
  sniffed_.merge(now);
  replace(Type::kRoute, std::move(made), gone);
}

/// Names of the resources of these hosts.
Names OutboundScope::names_of(Type type, const Names& hosts) const {
  Names names;
  if (hosts.empty()) return names;
  for (const ResourcePtr& each : *table(type))
    if (contains(hosts, host_in(type, each->name))) names.push_back(each->name);
  return names;
}

/// Puts `made` into the table and takes out what `removed` names and is not among it. What has the same bytes
/// as before stays what it was.
void OutboundScope::replace(Type type, std::vector<ResourcePtr> made, const Names& removed) {
  ResourceTablePtr& table = tables_[index_of(type)];
  Names drop;
  std::set<std::string_view> kept;
  std::vector<ResourcePtr> sound;
  for (ResourcePtr& each : made) {
    const ResourcePtr& before = table->find(each->name);
    ResourcePtr taken = successor(type, before, each, proof_);
    if (taken) kept.insert(each->name);
    if (!taken && before) drop.push_back(each->name);
    if (taken && taken != before) sound.push_back(std::move(taken));
  }
  for (const std::string& name : removed)
    if (!kept.contains(name) && table->contains(name)) drop.push_back(name);
  if (sound.empty() && drop.empty()) return;
  sort_names(drop);
  table = table->with(std::move(sound), drop);
}

}  // namespace weft::control

#include "control/translation/rules.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <tuple>

#include "base/strings.h"
#include "control/json.h"

namespace weft::control {
namespace {

const api::Json kNoPolicy = api::Json::object();

bool is_exported(const api::Object& object) {
  const api::Json& to = json::list(object.spec(), "exportTo");
  return to.empty() || std::ranges::any_of(to, [](const api::Json& ns) { return ns == "*"; });
}

/// "http[0].match[1]" of a fault at "spec.http[0].match[1].sourceNamespace"; empty when it is in no match.
std::string match_of(std::string_view field) {
  constexpr std::string_view kSpec = "spec.";
  const auto at = field.find(".match[");
  const auto end = at == field.npos ? at : field.find(']', at);
  if (!field.starts_with(kSpec) || end == field.npos) return {};
  return std::string(field.substr(kSpec.size(), end + 1 - kSpec.size()));
}

std::string_view created_at(const api::Object& object) {
  return json::text(json::map(object.body, "metadata"), "creationTimestamp");
}

/// One that is not stored yet has no time.
bool created_before(std::string_view a, std::string_view b) {
  return a.empty() || b.empty() ? b.empty() && !a.empty() : a < b;
}

/// Host names that `written` may mean in namespace `ns`, whatever services there are, and what it leads to
/// now.
void add_asked(Names& asks, std::string_view written, std::string_view ns, const Registry& registry) {
  const std::string host = to_lower(written);
  asks.push_back(host);
  asks.push_back(full_host(host, ns));
  const auto parts = split(host, '.');
  if (parts.size() > 1) asks.push_back(full_host(parts[0], parts[1]));
  asks.push_back(registry.resolve_destination(written, ns));
}

std::shared_ptr<VirtualService> read_virtual_service(const api::ObjectPtr& object, const World& world,
                                                     const Registry& registry) {
  auto made = std::make_shared<VirtualService>(
      VirtualService{.object = object, .hosts = {}, .gateways = {}, .exported = is_exported(*object)});
  for (const auto& gateway : json::list(object->spec(), "gateways"))
    if (gateway.is_string())
      made->gateways.push_back(gateway_name(gateway.get_ref<const std::string&>(), object->ns()));
  if (made->gateways.empty()) made->gateways.emplace_back(kMesh);
  for (const auto& host : json::list(object->spec(), "hosts"))
    if (host.is_string()) {
      made->hosts.push_back(registry.resolve(to_lower(host.get_ref<const std::string&>()), object->ns()));
      add_asked(made->asks, host.get_ref<const std::string&>(), object->ns(), registry);
    }
  for (std::string_view list : {"http", "tcp", "tls"})
    for (const auto& route : json::list(object->spec(), list)) {
      for (const auto& to : json::list(route, "route"))
        add_asked(made->asks, json::text(json::map(to, "destination"), "host"), object->ns(), registry);
      for (const auto& match : json::list(route, "match"))
        for (const auto& [key, value] : json::map(match, "sourceLabels").items())
          made->source_labels.push_back(key);
    }
  for (const api::Problem& fault : world.faults(*object))
    if (std::string match = match_of(fault.field); !match.empty()) made->unreadable.insert(std::move(match));
  sort_names(made->asks);
  sort_names(made->source_labels);
  return made;
}

std::shared_ptr<DestinationRule> read_destination_rule(const api::ObjectPtr& object, const World&,
                                                       const Registry& registry) {
  const std::string_view host = json::text(object->spec(), "host");
  auto made = std::make_shared<DestinationRule>(DestinationRule{
      .object = object, .host = registry.resolve(host, object->ns()), .exported = is_exported(*object)});
  add_asked(made->asks, host, object->ns(), registry);
  sort_names(made->asks);
  return made;
}

bool same_reading(const VirtualService& a, const VirtualService& b) {
  return a.hosts == b.hosts && a.unreadable == b.unreadable;
}
bool same_reading(const DestinationRule& a, const DestinationRule& b) { return a.host == b.host; }

/// Whether both objects are one, and only its status or metadata has changed.
bool same_spec(const api::Object& a, const api::Object& b) {
  return &a == &b || (a.uid() == b.uid() && a.generation() != 0 && a.generation() == b.generation());
}

std::uint64_t next_meaning() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

/// Makes the rules of one registry from those of another.
class Renewal {
 public:
  Renewal(const World& world, const Registry& registry, const Registry& old_registry)
      : world_(world), registry_(registry), same_services_(registry.same_services(old_registry)) {
    if (same_services_) return;
    // A name that leads elsewhere may be any rule's.
    all_ = !registry.same_aliases(old_registry);
    for_each_difference<Service>(old_registry.services().pointers(), registry.services().pointers(),
                                 Service::by_name,
                                 [&](const auto& service) { changed_.push_back(service->host); });
    sort_names(changed_);
  }

  template <class Rule, class Read>
  std::shared_ptr<const MadeOf<Rule>> list(const api::KindInfo* kind, const World& old_world,
                                           const std::shared_ptr<const MadeOf<Rule>>& old,
                                           const Read& read) const {
    if (same_services_ && world_.shares(kind, old_world)) return old;
    const auto make = [&](const api::ObjectPtr& object, const std::shared_ptr<const Rule>& before) {
      return renewed<Rule>(object, before, read);
    };
    auto made = std::make_shared<MadeOf<Rule>>(
        carry_over(old_world.all(kind), *old, world_.all(kind), make, [](const auto&, const auto&) {}));
    for (auto& rule : *made)
      if (concerned(*rule)) rule = renewed<Rule>(rule->object, nullptr, read);
    return made;
  }

 private:
  bool concerned(const auto& rule) const {
    return all_ ||
           std::ranges::any_of(rule.asks, [&](const std::string& host) { return contains(changed_, host); });
  }

  template <class Rule, class Read>
  std::shared_ptr<const Rule> renewed(const api::ObjectPtr& object, const std::shared_ptr<const Rule>& before,
                                      const Read& read) const {
    auto made = read(object, world_, registry_);
    const bool same = before && same_spec(*object, *before->object) && same_reading(*made, *before);
    made->meaning = same ? before->meaning : next_meaning();
    return made;
  }

  const World& world_;
  const Registry& registry_;
  const bool same_services_;
  bool all_ = false;
  Names changed_;  ///< hosts of Services that came, went or changed
};

template <class Rule>
std::shared_ptr<const MadeOf<Rule>> oldest_first(const MadeOf<Rule>& rules) {
  struct Entry {
    std::string_view created;
    std::size_t index;
  };
  std::vector<Entry> order;
  for (std::size_t i = 0; i < rules.size(); ++i) order.push_back({created_at(*rules[i]->object), i});
  // They stand in the order of their names, which decides between equals.
  std::ranges::sort(order, [](const Entry& a, const Entry& b) {
    return a.created == b.created ? a.index < b.index : created_before(a.created, b.created);
  });
  auto sorted = std::make_shared<MadeOf<Rule>>();
  for (const Entry& each : order) sorted->push_back(rules[each.index]);
  return sorted;
}

}  // namespace

std::string gateway_name(std::string_view written, std::string_view ns) {
  if (written == kMesh) return std::string(written);
  auto join = [](std::string_view space, std::string_view name) {
    return std::string(space) + "/" + std::string(name);
  };
  if (auto slash = written.find('/'); slash != written.npos) {
    std::string_view space = written.substr(0, slash);
    return join(space == "." ? ns : space, written.substr(slash + 1));
  }
  auto parts = split(written, '.');
  return parts.size() == 1 ? join(ns, written) : join(parts[1], parts[0]);
}

// Creation time has whole seconds; the store's uid order is no order. Name decides between equals.
bool older(const api::ObjectPtr& a, const api::ObjectPtr& b) {
  const std::string_view one = created_at(*a), other = created_at(*b);
  return one == other ? precedes(*a, *b) : created_before(one, other);
}

std::size_t host_match(std::string_view pattern, std::string_view host) {
  if (pattern == host) return std::numeric_limits<std::size_t>::max();
  if (!pattern.starts_with('*')) return 0;
  std::string_view suffix = pattern.substr(1);
  return host.size() > suffix.size() && host.ends_with(suffix) ? suffix.size() + 1 : 0;
}

template <class Rule>
void HostIndex<Rule>::add(const std::string& pattern, const Rule& rule) {
  exact_.push_back({pattern, exact_.size(), &rule});
  if (pattern.starts_with('*') && (wildcards_.empty() || wildcards_.back() != &rule))
    wildcards_.push_back(&rule);
}

template <class Rule>
void HostIndex<Rule>::sort() {
  std::ranges::sort(exact_, {}, [](const Entry& entry) { return std::tie(entry.host, entry.age); });
}

template <class Rule>
std::vector<const Rule*> HostIndex<Rule>::exact(std::string_view host) const {
  std::vector<const Rule*> found;
  auto at = std::ranges::lower_bound(exact_, host, {}, &Entry::host);
  for (; at != exact_.end() && at->host == host; ++at) found.push_back(at->rule);
  return found;
}

bool VirtualService::has_http_routes() const { return !json::list(object->spec(), "http").empty(); }

bool VirtualService::applies_to(std::string_view gateway) const {
  return std::ranges::find(gateways, gateway) != gateways.end();
}

Rules::Rules(const World& world, const Registry& registry, const World& old_world,
             const Registry& old_registry, const Rules& old) {
  const Renewal renewal(world, registry, old_registry);
  virtual_service_objects_ =
      renewal.list(kinds::virtual_service(), old_world, old.virtual_service_objects_, read_virtual_service);
  destination_rule_objects_ = renewal.list(kinds::destination_rule(), old_world,
                                           old.destination_rule_objects_, read_destination_rule);
  virtual_services_ = virtual_service_objects_ == old.virtual_service_objects_
                          ? old.virtual_services_
                          : oldest_first(*virtual_service_objects_);
  destination_rules_ = destination_rule_objects_ == old.destination_rule_objects_
                           ? old.destination_rules_
                           : oldest_first(*destination_rule_objects_);
  index();
}

void Rules::index() {
  for (const auto& rule : *virtual_services_)
    if (rule->applies_to(kMesh))
      for (const std::string& host : rule->hosts) mesh_hosts_.add(host, *rule);
  mesh_hosts_.sort();
  for (const auto& rule : *destination_rules_) destination_hosts_.add(rule->host, *rule);
  destination_hosts_.sort();
}

const VirtualService* Rules::for_mesh(std::string_view host, std::string_view ns) const {
  for (const VirtualService* rule : mesh_hosts_.exact(host))
    if (rule->visible_from(ns)) return rule;
  const VirtualService* best = nullptr;
  std::size_t best_score = 0;
  for (const VirtualService* rule : mesh_hosts_.wildcards()) {
    if (!rule->visible_from(ns)) continue;
    for (const std::string& pattern : rule->hosts) {
      std::size_t score = host_match(pattern, host);
      if (score > best_score) {
        best_score = score;
        best = rule;
      }
    }
  }
  return best;
}

std::vector<const VirtualService*> Rules::for_gateway(std::string_view gateway, std::string_view ns) const {
  std::vector<const VirtualService*> found;
  for (const VirtualService& rule : virtual_services())
    if (rule.applies_to(gateway) && rule.visible_from(ns)) found.push_back(&rule);
  return found;
}

std::vector<const DestinationRule*> Rules::best_match(std::string_view host, std::string_view rule_ns,
                                                      std::string_view client_ns, Among among) const {
  auto counts = [&](const DestinationRule& rule) {
    if (rule.object->ns() != rule_ns || !(rule.exported || rule_ns == client_ns)) return false;
    return among != Among::kUnexported || !rule.exported;
  };
  std::vector<const DestinationRule*> best;
  for (const DestinationRule* rule : destination_hosts_.exact(host))
    if (counts(*rule)) best.push_back(rule);
  if (!best.empty()) return best;
  std::size_t best_score = 1;
  for (const DestinationRule* rule : destination_hosts_.wildcards()) {
    if (!counts(*rule)) continue;
    std::size_t score = host_match(rule->host, host);
    if (score < best_score) continue;
    if (score > best_score) best.clear();
    best_score = score;
    best.push_back(rule);
  }
  return best;
}

Destination Rules::destination(std::string_view host, std::string_view ns) const {
  auto rules = best_match(host, ns, ns, ns == kRootNamespace ? Among::kUnexported : Among::kVisible);
  if (rules.empty()) {
    auto first_dot = host.find('.');
    auto second_dot = first_dot == host.npos ? host.npos : host.find('.', first_dot + 1);
    if (second_dot != host.npos)
      rules = best_match(host, host.substr(first_dot + 1, second_dot - first_dot - 1), ns);
  }
  if (rules.empty()) rules = best_match(host, kRootNamespace, ns);
  Destination made{.policy = &kNoPolicy, .subsets = {}, .objects = {}};
  for (const DestinationRule* rule : rules) {
    const api::Json& spec = rule->object->spec();
    made.objects.push_back(rule->object);
    if (made.policy->empty()) made.policy = &json::map(spec, "trafficPolicy");
    for (const auto& subset : json::list(spec, "subsets")) {
      std::string name(json::text(subset, "name"));
      if (std::ranges::find(made.subsets, name, &Subset::name) != made.subsets.end()) continue;
      made.subsets.push_back(
          {name, labels_from(json::map(subset, "labels")), &json::map(subset, "trafficPolicy")});
    }
  }
  return made;
}

}  // namespace weft::control

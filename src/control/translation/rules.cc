#include "control/translation/rules.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <tuple>

#include "api/admit.h"
#include "base/strings.h"

namespace weft::control {
namespace {

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

void add_routes_asked(VirtualService& rule, const Registry& registry) {
  const std::string_view ns = rule.object->ns();
  const auto add_destinations = [&](const std::vector<api::istio::WeightedDestination>& list) {
    for (const auto& to : list) add_asked(rule.asks, to.destination.host, ns, registry);
  };
  const auto add_labels = [&](const api::istio::MatchScope& match) {
    for (const auto& [key, value] : match.source_labels) rule.source_labels.push_back(key);
  };
  for (const api::istio::HttpRoute& route : rule.spec->http) {
    add_destinations(route.destinations());
    for (const api::istio::HttpMatch& match : route.matches) add_labels(match.scope);
  }
  for (const api::istio::TcpRoute& route : rule.spec->tcp) {
    add_destinations(route.destinations);
    for (const api::istio::MatchScope& match : route.matches) add_labels(match);
  }
}

std::vector<api::Place> faulty_matches(const api::istio::VirtualService& spec,
                                       std::span<const api::Problem> faults) {
  std::vector<api::Place> found;
  if (faults.empty()) return found;
  const auto look_at = [&](const api::istio::MatchScope& match) {
    if (std::ranges::any_of(faults, [&](const api::Problem& each) {
          return !each.no_effect && api::concerns(each, match.where);
        }))
      found.push_back(match.where);
  };
  for (const api::istio::HttpRoute& route : spec.http)
    for (const api::istio::HttpMatch& match : route.matches) look_at(match.scope);
  for (const api::istio::TcpRoute& route : spec.tcp) std::ranges::for_each(route.matches, look_at);
  return found;
}

std::shared_ptr<VirtualService> made_of(const Typed<api::istio::VirtualService>& typed,
                                        const ObjectSnapshot& snapshot, const Registry& registry) {
  auto made = std::make_shared<VirtualService>(VirtualService{.object = typed.object, .spec = typed.spec});
  const std::string_view ns = typed.object->ns();
  for (const std::string& gateway : made->spec->gateways) made->gateways.push_back(gateway_name(gateway, ns));
  if (made->gateways.empty()) made->gateways.emplace_back(kMesh);
  for (const std::string& host : made->spec->hosts) {
    made->hosts.push_back(registry.resolve(to_lower(host), ns));
    add_asked(made->asks, host, ns, registry);
  }
  add_routes_asked(*made, registry);
  made->faulty_matches = faulty_matches(*made->spec, snapshot.faults(*typed.object));
  sort_names(made->asks);
  sort_names(made->source_labels);
  return made;
}

std::shared_ptr<DestinationRule> made_of(const Typed<api::istio::DestinationRule>& typed,
                                         const ObjectSnapshot&, const Registry& registry) {
  const std::string& host = typed.spec->host;
  auto made = std::make_shared<DestinationRule>(DestinationRule{
      .object = typed.object, .spec = typed.spec, .host = registry.resolve(host, typed.object->ns())});
  add_asked(made->asks, host, typed.object->ns(), registry);
  sort_names(made->asks);
  return made;
}

bool same_reading(const VirtualService& a, const VirtualService& b) {
  return a.hosts == b.hosts && a.faulty_matches == b.faulty_matches;
}
bool same_reading(const DestinationRule& a, const DestinationRule& b) { return a.host == b.host; }

std::uint64_t next_meaning() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

/// Makes the rules of one registry from those of another.
class Renewal {
 public:
  Renewal(const ObjectSnapshot& snapshot, const Registry& registry, const Registry& old_registry)
      : snapshot_(snapshot), registry_(registry), same_services_(registry.same_services(old_registry)) {
    if (same_services_) return;
    // A name that leads elsewhere may be any rule's.
    all_ = !registry.same_aliases(old_registry);
    for_each_difference<Service>(old_registry.services().pointers(), registry.services().pointers(),
                                 Service::by_name,
                                 [&](const auto& service) { changed_.push_back(service->host); });
    sort_names(changed_);
  }

  template <class Spec, class Rule>
  std::shared_ptr<const MadeOf<Rule>> list(const ObjectSnapshot& old_snapshot,
                                           const std::shared_ptr<const MadeOf<Rule>>& old) const {
    const api::KindInfo* const kind = kind_of<Spec>();
    if (same_services_ && snapshot_.shares(kind, old_snapshot)) return old;
    const auto make = [&](const api::ObjectPtr& object, const std::shared_ptr<const Rule>& before) {
      return renewed<Spec, Rule>(object, before);
    };
    auto made = std::make_shared<MadeOf<Rule>>(
        carry_over(old_snapshot.all(kind), *old, snapshot_.all(kind), make, [](const auto&, const auto&) {}));
    if (!all_ && changed_.empty()) return made;
    for (auto& rule : *made)
      if (concerned(*rule)) rule = renewed<Spec, Rule>(rule->object, nullptr);
    return made;
  }

 private:
  bool concerned(const auto& rule) const {
    return all_ ||
           std::ranges::any_of(rule.asks, [&](const std::string& host) { return contains(changed_, host); });
  }

  template <class Spec, class Rule>
  std::shared_ptr<const Rule> renewed(const api::ObjectPtr& object,
                                      const std::shared_ptr<const Rule>& before) const {
    auto made = made_of(*snapshot_.typed().find<Spec>(object->ns(), object->name()), snapshot_, registry_);
    const bool same = before && same_spec(*object, *before->object) && same_reading(*made, *before);
    made->meaning = same ? before->meaning : next_meaning();
    return made;
  }

  const ObjectSnapshot& snapshot_;
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
  for (std::size_t i = 0; i < rules.size(); ++i) order.push_back({rules[i]->object->created(), i});
  // They stand in the order of their names, which decides between equals.
  std::ranges::sort(order, [](const Entry& a, const Entry& b) {
    return a.created == b.created ? a.index < b.index : created_before(a.created, b.created);
  });
  auto sorted = std::make_shared<MadeOf<Rule>>();
  for (const Entry& each : order) sorted->push_back(rules[each.index]);
  return sorted;
}

/// The names by which sidecars find a rule.
std::span<const std::string> hosts_of(const VirtualService& rule) {
  return rule.applies_to(kMesh) ? std::span<const std::string>(rule.hosts) : std::span<const std::string>();
}
std::span<const std::string> hosts_of(const DestinationRule& rule) { return {&rule.host, 1}; }
std::span<const std::string> gateways_of(const VirtualService& rule) { return rule.gateways; }
std::span<const std::string> gateways_of(const DestinationRule&) { return {}; }
std::span<const std::string> source_labels_of(const VirtualService& rule) { return rule.source_labels; }
std::span<const std::string> source_labels_of(const DestinationRule&) { return {}; }

/// Whether the lists by name, and by what rules are looked up by, have the two in the same place.
template <class Rule>
bool same_place(const Rule& a, const Rule& b) {
  return !precedes(*a.object, *b.object) && !precedes(*b.object, *a.object) &&
         a.object->created() == b.object->created() && std::ranges::equal(hosts_of(a), hosts_of(b)) &&
         std::ranges::equal(gateways_of(a), gateways_of(b)) &&
         std::ranges::equal(source_labels_of(a), source_labels_of(b));
}

/// `by_age`, the order of `before`, with the rules of `now`. Null: their order is another, or many differ.
template <class Rule>
std::shared_ptr<const MadeOf<Rule>> replaced_in_place(const MadeOf<Rule>& before, const MadeOf<Rule>& now,
                                                      const MadeOf<Rule>& by_age) {
  // Each is looked for among all.
  constexpr std::size_t kMaxReplaced = 32;
  if (before.size() != now.size()) return nullptr;
  std::vector<std::size_t> differing;
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (before[i] == now[i]) continue;
    if (differing.size() == kMaxReplaced || !same_place(*before[i], *now[i])) return nullptr;
    differing.push_back(i);
  }
  auto made = std::make_shared<MadeOf<Rule>>(by_age);
  for (const std::size_t i : differing) *std::ranges::find(*made, before[i]) = now[i];
  return made;
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
  const std::string_view one = a->created(), other = b->created();
  return one == other ? precedes(*a, *b) : created_before(one, other);
}

std::size_t host_match(std::string_view pattern, std::string_view host) {
  if (pattern == host) return std::numeric_limits<std::size_t>::max();
  if (!pattern.starts_with('*')) return 0;
  std::string_view suffix = pattern.substr(1);
  return host.size() > suffix.size() && host.ends_with(suffix) ? suffix.size() + 1 : 0;
}

template <class Rule>
RuleIndex<Rule>::RuleIndex(List rules) : rules_(std::move(rules)) {
  for (std::size_t place = 0; place < rules_->size(); ++place) {
    const Rule& rule = *(*rules_)[place];
    for (const std::string_view host : hosts_of(rule)) {
      hosts_.push_back({host, place});
      if (host.starts_with('*') && (wildcards_.empty() || wildcards_.back() != place))
        wildcards_.push_back(place);
    }
    for (const std::string_view gateway : gateways_of(rule)) gateways_.push_back({gateway, place});
    const auto labels = source_labels_of(rule);
    source_labels_.insert(source_labels_.end(), labels.begin(), labels.end());
  }
  sort(hosts_);
  sort(gateways_);
  sort_names(source_labels_);
}

template <class Rule>
void RuleIndex<Rule>::sort(Entries& entries) {
  std::ranges::sort(entries);
  const auto rest = std::ranges::unique(entries);
  entries.erase(rest.begin(), rest.end());
}

template <class Rule>
std::vector<std::size_t> RuleIndex<Rule>::places_in(const Entries& entries, std::string_view name) {
  std::vector<std::size_t> found;
  auto at = std::ranges::lower_bound(entries, name, {}, &Entry::name);
  for (; at != entries.end() && at->name == name; ++at) found.push_back(at->place);
  return found;
}

bool VirtualService::applies_to(std::string_view gateway) const {
  return std::ranges::find(gateways, gateway) != gateways.end();
}

bool VirtualService::can_tell(const api::istio::MatchScope& match) const {
  return match.understood && std::ranges::find(faulty_matches, match.where) == faulty_matches.end();
}

bool VirtualService::holds(const api::istio::MatchScope& match, const Approach& call) const {
  return can_tell(match) && may_hold(match, call);
}

bool VirtualService::may_hold(const api::istio::MatchScope& match, const Approach& call) const {
  if (match.port != 0 && match.port != call.port) return false;
  if (!match.gateways.empty()) {
    const bool named = std::ranges::any_of(match.gateways, [&](const std::string& name) {
      return gateway_name(name, object->ns()) == call.gateway;
    });
    if (!named) return false;
  }
  // As Istio: a match that names its gateway is for all that comes there.
  if (call.gateway != kMesh && !match.gateways.empty()) return true;
  return contains(call.labels, match.source_labels);
}

bool VirtualService::decides(Layer layer, const Approach& call) const {
  const auto counts = [&](const api::istio::MatchScope& match) { return may_hold(match, call); };
  if (layer == Layer::kTcp)
    return std::ranges::any_of(spec->tcp, [&](const api::istio::TcpRoute& route) {
      return route.matches.empty() || std::ranges::any_of(route.matches, counts);
    });
  return std::ranges::any_of(spec->http, [&](const api::istio::HttpRoute& route) {
    return route.matches.empty() ||
           std::ranges::any_of(route.matches, [&](const auto& match) { return counts(match.scope); });
  });
}

template <class Rule>
Rules::OfKind<Rule> Rules::OfKind<Rule>::with(List renewed) const {
  if (renewed == by_name) return *this;
  OfKind made;
  made.by_name = std::move(renewed);
  if (auto replaced = replaced_in_place(*by_name, *made.by_name, *by_age)) {
    made.by_age = std::move(replaced);
    made.index = index;
  } else {
    made.by_age = oldest_first(*made.by_name);
    made.index = std::make_shared<RuleIndex<Rule>>(made.by_age);
  }
  return made;
}

template <class Rule>
std::vector<const Rule*> Rules::OfKind<Rule>::naming(std::string_view host) const {
  std::vector<const Rule*> found;
  for (const std::size_t place : index->exact(host)) found.push_back(&at(place));
  return found;
}
template struct Rules::OfKind<VirtualService>;
template struct Rules::OfKind<DestinationRule>;

Rules::Rules(const ObjectSnapshot& snapshot, const Registry& registry, const ObjectSnapshot& old_snapshot,
             const Registry& old_registry, const Rules& old) {
  const Renewal renewal(snapshot, registry, old_registry);
  virtual_services_ = old.virtual_services_.with(
      renewal.list<api::istio::VirtualService>(old_snapshot, old.virtual_services_.by_name));
  destination_rules_ = old.destination_rules_.with(
      renewal.list<api::istio::DestinationRule>(old_snapshot, old.destination_rules_.by_name));
}

const VirtualService* Rules::for_mesh(std::string_view host, std::string_view ns, Layer layer,
                                      const Approach& call) const {
  bool named = false;
  for (const VirtualService* rule : mesh_rules_naming(host)) {
    if (!rule->visible_from(ns)) continue;
    if (rule->decides(layer, call)) return rule;
    named = true;
  }
  if (named) return nullptr;
  const VirtualService* best = nullptr;
  std::size_t best_score = 1;
  for (const std::size_t place : virtual_services_.index->wildcards()) {
    const VirtualService& rule = virtual_services_.at(place);
    if (!rule.visible_from(ns)) continue;
    std::size_t score = 0;
    for (const std::string& pattern : rule.hosts) score = std::max(score, host_match(pattern, host));
    if (score < best_score || (score == best_score && best)) continue;
    best = rule.decides(layer, call) ? &rule : nullptr;
    best_score = score;
  }
  return best;
}

std::vector<const VirtualService*> Rules::for_gateway(std::string_view gateway, std::string_view ns) const {
  std::vector<const VirtualService*> found;
  for (const std::size_t place : virtual_services_.index->of_gateway(gateway))
    if (const VirtualService& rule = virtual_services_.at(place); rule.visible_from(ns))
      found.push_back(&rule);
  return found;
}

std::vector<const DestinationRule*> Rules::best_match(std::string_view host, std::string_view rule_ns,
                                                      std::string_view client_ns, Among among) const {
  auto counts = [&](const DestinationRule& rule) {
    if (rule.object->ns() != rule_ns || !(rule.spec->exported || rule_ns == client_ns)) return false;
    return among != Among::kUnexported || !rule.spec->exported;
  };
  std::vector<const DestinationRule*> best;
  for (const DestinationRule* rule : destination_rules_naming(host))
    if (counts(*rule)) best.push_back(rule);
  if (!best.empty()) return best;
  std::size_t best_score = 1;
  for (const std::size_t place : destination_rules_.index->wildcards()) {
    const DestinationRule& rule = destination_rules_.at(place);
    if (!counts(rule)) continue;
    std::size_t score = host_match(rule.host, host);
    if (score < best_score) continue;
    if (score > best_score) best.clear();
    best_score = score;
    best.push_back(&rule);
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
  std::vector<const api::istio::DestinationRule*> specs;
  for (const DestinationRule* rule : rules) specs.push_back(rule->spec.get());
  return destination_of(specs);
}

Destination destination_of(std::span<const api::istio::DestinationRule* const> rules) {
  Destination made;
  for (const api::istio::DestinationRule* rule : rules) {
    if (!made.policy && rule->policy) made.policy = &*rule->policy;
    for (const api::istio::Subset& subset : rule->subsets)
      if (std::ranges::find(made.subsets, subset.name, &api::istio::Subset::name) == made.subsets.end())
        made.subsets.push_back(&subset);
  }
  return made;
}

}  // namespace weft::control

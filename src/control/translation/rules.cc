#include "control/translation/rules.h"

#include <algorithm>
#include <limits>

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
  auto created = [](const api::Object& o) {
    return json::text(json::map(o.body, "metadata"), "creationTimestamp");
  };
  // One that is not stored yet has no time.
  if (created(*a).empty() != created(*b).empty()) return created(*b).empty();
  if (created(*a) != created(*b)) return created(*a) < created(*b);
  if (a->ns() != b->ns()) return a->ns() < b->ns();
  return a->name() < b->name();
}

std::size_t host_match(std::string_view pattern, std::string_view host) {
  if (pattern == host) return std::numeric_limits<std::size_t>::max();
  if (!pattern.starts_with('*')) return 0;
  std::string_view suffix = pattern.substr(1);
  return host.size() > suffix.size() && host.ends_with(suffix) ? suffix.size() + 1 : 0;
}

void HostIndex::add(const std::string& pattern, std::size_t position) {
  exact_[pattern].push_back(position);
  if (pattern.starts_with('*') && (wildcards_.empty() || wildcards_.back() != position))
    wildcards_.push_back(position);
}

const std::vector<std::size_t>& HostIndex::exact(std::string_view host) const {
  static const std::vector<std::size_t> kNone;
  const auto found = exact_.find(host);
  return found == exact_.end() ? kNone : found->second;
}

bool VirtualService::has_http_routes() const { return !json::list(object->spec(), "http").empty(); }

bool VirtualService::applies_to(std::string_view gateway) const {
  return std::ranges::find(gateways, gateway) != gateways.end();
}

Rules::Rules(const World& world, const Registry& registry) {
  read_virtual_services(world, registry);
  for (const auto& object : world.all(kinds::destination_rule()))
    destination_rules_.push_back(
        {object, registry.resolve(json::text(object->spec(), "host"), object->ns()), is_exported(*object)});
  std::ranges::sort(destination_rules_, older, &DestinationRule::object);
  for (std::size_t i = 0; i < destination_rules_.size(); ++i)
    destination_hosts_.add(destination_rules_[i].host, i);
}

void Rules::read_virtual_services(const World& world, const Registry& registry) {
  for (const auto& object : world.all(kinds::virtual_service())) {
    VirtualService made{.object = object, .hosts = {}, .gateways = {}, .exported = is_exported(*object)};
    for (const auto& gateway : json::list(object->spec(), "gateways"))
      if (gateway.is_string())
        made.gateways.push_back(gateway_name(gateway.get_ref<const std::string&>(), object->ns()));
    if (made.gateways.empty()) made.gateways.emplace_back(kMesh);
    for (const auto& host : json::list(object->spec(), "hosts"))
      if (host.is_string())
        made.hosts.push_back(registry.resolve(to_lower(host.get_ref<const std::string&>()), object->ns()));
    for (const api::Problem& fault : world.faults(*object))
      if (std::string match = match_of(fault.field); !match.empty()) made.unreadable.insert(std::move(match));
    virtual_services_.push_back(std::move(made));
  }
  std::ranges::sort(virtual_services_, older, &VirtualService::object);
  for (std::size_t i = 0; i < virtual_services_.size(); ++i)
    if (virtual_services_[i].applies_to(kMesh))
      for (const std::string& host : virtual_services_[i].hosts) mesh_hosts_.add(host, i);
}

const VirtualService* Rules::for_mesh(std::string_view host, std::string_view ns) const {
  for (std::size_t i : mesh_hosts_.exact(host))
    if (virtual_services_[i].visible_from(ns)) return &virtual_services_[i];
  const VirtualService* best = nullptr;
  std::size_t best_score = 0;
  for (std::size_t i : mesh_hosts_.wildcards()) {
    const VirtualService& rule = virtual_services_[i];
    if (!rule.visible_from(ns)) continue;
    for (const std::string& pattern : rule.hosts) {
      std::size_t score = host_match(pattern, host);
      if (score > best_score) {
        best_score = score;
        best = &rule;
      }
    }
  }
  return best;
}

std::vector<const VirtualService*> Rules::for_gateway(std::string_view gateway, std::string_view ns) const {
  std::vector<const VirtualService*> found;
  for (const VirtualService& rule : virtual_services_)
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
  for (std::size_t i : destination_hosts_.exact(host))
    if (counts(destination_rules_[i])) best.push_back(&destination_rules_[i]);
  if (!best.empty()) return best;
  std::size_t best_score = 1;
  for (std::size_t i : destination_hosts_.wildcards()) {
    const DestinationRule& rule = destination_rules_[i];
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

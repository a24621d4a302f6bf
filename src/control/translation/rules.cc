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

std::string gateway_name(std::string_view written, std::string_view ns) {
  if (written == kMesh || written.find('/') != written.npos) return std::string(written);
  return std::string(ns) + "/" + std::string(written);
}

}  // namespace

// Creation time has whole seconds; the store's uid order is no order. Name decides between equals.
bool older(const api::ObjectPtr& a, const api::ObjectPtr& b) {
  auto created = [](const api::Object& o) {
    return json::text(json::map(o.body, "metadata"), "creationTimestamp");
  };
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

bool VirtualService::applies_to(std::string_view gateway) const {
  return std::ranges::find(gateways, gateway) != gateways.end();
}

Rules::Rules(const World& world, const Registry& registry) {
  read_virtual_services(world, registry);
  for (const auto& object : world.all(kinds::destination_rule()))
    destination_rules_.push_back(
        {object, registry.resolve(json::text(object->spec(), "host"), object->ns()), is_exported(*object)});
  std::ranges::sort(destination_rules_, older, &DestinationRule::object);
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
    virtual_services_.push_back(std::move(made));
  }
  std::ranges::sort(virtual_services_, older, &VirtualService::object);
}

const VirtualService* Rules::for_mesh(std::string_view host, std::string_view ns) const {
  const VirtualService* best = nullptr;
  std::size_t best_score = 0;
  for (const VirtualService& rule : virtual_services_) {
    if (!rule.applies_to(kMesh) || !rule.visible_from(ns)) continue;
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

std::vector<const VirtualService*> Rules::for_gateway(std::string_view gateway) const {
  std::vector<const VirtualService*> found;
  for (const VirtualService& rule : virtual_services_)
    if (rule.applies_to(gateway)) found.push_back(&rule);
  return found;
}

std::vector<const Rules::DestinationRule*> Rules::best_match(std::string_view host, std::string_view rule_ns,
                                                             std::string_view client_ns) const {
  std::vector<const DestinationRule*> best;
  std::size_t best_score = 1;
  for (const DestinationRule& rule : destination_rules_) {
    if (rule.object->ns() != rule_ns || !(rule.exported || rule_ns == client_ns)) continue;
    std::size_t score = host_match(rule.host, host);
    if (score < best_score) continue;
    if (score > best_score) best.clear();
    best_score = score;
    best.push_back(&rule);
  }
  return best;
}

Destination Rules::destination(std::string_view host, std::string_view ns) const {
  auto rules = best_match(host, ns, ns);
  if (rules.empty()) {
    auto first_dot = host.find('.');
    auto second_dot = first_dot == host.npos ? host.npos : host.find('.', first_dot + 1);
    if (second_dot != host.npos)
      rules = best_match(host, host.substr(first_dot + 1, second_dot - first_dot - 1), ns);
  }
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

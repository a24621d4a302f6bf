#include "control/translation/translator.h"

#include "control/translation/parts.h"

namespace weft::control {
namespace {

template <class Map>
void forget_unused(Map& map) {
  std::erase_if(map, [](const auto& entry) { return !entry.second.used; });
  for (auto& [key, kept] : map) kept.used = false;
}

/// Tells lists of texts apart whatever is in them.
void append(std::string& key, std::string_view text) {
  key += std::to_string(text.size());
  key += ':';
  key += text;
}

}  // namespace

void Translator::update(std::shared_ptr<const PushContext> push) {
  forget_unused(scopes_);
  forget_unused(own_);
  forget_unused(sets_);
  const Changes changes = push_ ? changes_between(*push_, *push) : Changes::all();
  if (changes.gateways) gateways_changed_ = push->generation;
  for (auto& [key, scope] : scopes_) scope.value.update(*push, changes);
  push_ = std::move(push);
}

const OutboundScope& Translator::outbound(const ProxyIdentity& proxy, ScopeKey& key) {
  key.kind = proxy.kind;
  key.ns = proxy.ns;
  for (const std::string& label : push_->rules.source_labels())
    if (const auto found = proxy.labels.find(label); found != proxy.labels.end()) key.labels.insert(*found);
  auto place = scopes_.find(key);
  if (place == scopes_.end()) {
    place = scopes_.emplace(key, Kept<OutboundScope>{OutboundScope(key, proof_.get())}).first;
    place->second.value.update(*push_, Changes::all());
  }
  place->second.used = true;
  return place->second.value;
}

/// All that its own resources are made from, but for the push context.
std::string Translator::own_key(const ProxyIdentity& proxy) const {
  std::string key = proxy.ipv6 ? "6" : "4";
  if (proxy.kind == ProxyIdentity::Kind::kSidecar) {
    for (const InboundPort& port : inbound_ports(push_->registry, proxy)) {
      append(key, std::to_string(port.number));
      append(key, to_string(port.protocol));
      append(key, port.operation);
    }
    return key;
  }
  key += 'g';
  append(key, proxy.ns);
  for (const auto& [label, value] : proxy.labels) append(key, label), append(key, value);
  if (const Workload* pod = push_->registry.workload(proxy.ns, proxy.pod))
    for (const ContainerPort& port : pod->ports) {
      key += (port.tcp ? "t" : "u") + std::to_string(port.number);
      append(key, port.name);
    }
  else
    key += 'n';
  return key;
}

ResourceSet Translator::made_own(const ProxyIdentity& proxy, const ResourceSet& before) {
  ResourceLists made;
  if (proxy.kind == ProxyIdentity::Kind::kGateway) {
    add_gateway(made, *push_, proxy, proof_.get());
  } else {
    const auto ports = inbound_ports(push_->registry, proxy);
    add_inbound_clusters(made, ports, proxy.ipv6);
    add_inbound_listeners(made, ports, proxy.ipv6);
  }
  ResourceSet set;
  for (Type type : kAllTypes) {
    const ResourceTable& old = before[type];
    std::vector<ResourcePtr> kept;
    for (const ResourcePtr& each : made[index_of(type)]) {
      ResourcePtr taken = successor(type, old.find(each->name), each, proof_.get());
      if (taken) kept.push_back(std::move(taken));
    }
    auto table = std::make_shared<const ResourceTable>(std::move(kept));
    set.set(type, std::ranges::equal(*table, old) ? before.table(type) : std::move(table));
  }
  return set;
}

const ResourceSet& Translator::own(const ProxyIdentity& proxy, const std::string& key) {
  auto [place, is_new] = own_.try_emplace(key);
  Own& known = place->second.value;
  place->second.used = true;
  // A sidecar's are made from its key alone.
  const bool stale = proxy.kind == ProxyIdentity::Kind::kGateway && known.generation < gateways_changed_;
  if (is_new || stale) known.set = made_own(proxy, known.set);
  known.generation = push_->generation;
  return known.set;
}

ResourceSetPtr Translator::translate(const ProxyIdentity& proxy) {
  ScopeKey scope;
  const OutboundScope& calls = outbound(proxy, scope);
  std::string key = own_key(proxy);
  const ResourceSet& mine = own(proxy, key);
  Kept<Whole>& whole = sets_[{std::move(scope), std::move(key)}];
  whole.used = true;
  ResourceSet set = whole.value.set ? *whole.value.set : ResourceSet();
  bool differs = !whole.value.set;
  for (Type type : kAllTypes) {
    ResourceTablePtr& outbound_table = whole.value.outbound[index_of(type)];
    ResourceTablePtr& own_table = whole.value.own[index_of(type)];
    if (outbound_table == calls.table(type) && own_table == mine.table(type)) continue;
    outbound_table = calls.table(type);
    own_table = mine.table(type);
    set.set(type, merged(outbound_table, own_table));
    differs = true;
  }
  if (differs) whole.value.set = std::make_shared<const ResourceSet>(std::move(set));
  return whole.value.set;
}

}  // namespace weft::control

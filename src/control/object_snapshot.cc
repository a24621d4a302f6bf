#include "control/object_snapshot.h"

#include <algorithm>
#include <array>

#include "control/json.h"
#include "control/object_validator.h"

namespace weft::control {
namespace {

bool before(const api::ObjectPtr& object, const api::Key& key) {
  if (object->ns() != key.ns) return object->ns() < key.ns;
  return object->name() < key.name;
}

}  // namespace

bool precedes(const api::Object& a, const api::Object& b) {
  const int by_namespace = a.ns().compare(b.ns());
  return by_namespace != 0 ? by_namespace < 0 : a.name() < b.name();
}

ObjectSnapshot ObjectSnapshot::of(std::uint64_t generation, std::vector<api::ObjectPtr> objects) {
  std::map<const api::KindInfo*, Objects> sorted;
  for (auto& object : objects) sorted[object->kind].push_back(std::move(object));
  std::map<const api::KindInfo*, std::shared_ptr<const Objects>> lists;
  std::map<const api::KindInfo*, std::shared_ptr<const Faults>> faults;
  ObjectValidator validator;
  for (auto& [kind, list] : sorted) {
    std::ranges::sort(list, [](const auto& a, const auto& b) { return precedes(*a, *b); });
    for (const auto& object : list) validator.note(nullptr, object);
    faults[kind] = validator.faults(kind);
    lists[kind] = std::make_shared<const Objects>(std::move(list));
  }
  return ObjectSnapshot(generation, std::move(lists), std::move(faults));
}

std::span<const api::ObjectPtr> ObjectSnapshot::all(const api::KindInfo* kind) const {
  auto found = objects_.find(kind);
  return found == objects_.end() ? std::span<const api::ObjectPtr>() : std::span(*found->second);
}

bool ObjectSnapshot::shares(const api::KindInfo* kind, const ObjectSnapshot& other) const {
  const auto mine = objects_.find(kind), its = other.objects_.find(kind);
  if (mine == objects_.end() || its == other.objects_.end())
    return all(kind).empty() && other.all(kind).empty();
  return mine->second == its->second;
}

void for_each_change(const ObjectSnapshot& before, const ObjectSnapshot& after, const api::KindInfo* kind,
                     const std::function<void(const api::ObjectPtr&, const api::ObjectPtr&)>& changed) {
  if (before.shares(kind, after)) return;
  const auto olds = before.all(kind), news = after.all(kind);
  auto old = olds.begin();
  auto now = news.begin();
  while (old != olds.end() || now != news.end()) {
    if (old != olds.end() && now != news.end() && *old == *now) {
      ++old, ++now;
    } else if (now == news.end() || (old != olds.end() && precedes(**old, **now))) {
      changed(*old++, nullptr);
    } else if (old == olds.end() || precedes(**now, **old)) {
      changed(nullptr, *now++);
    } else {
      changed(*old++, *now++);
    }
  }
}

api::ObjectPtr ObjectSnapshot::find(const api::Key& key) const {
  auto list = all(key.kind);
  auto found = std::lower_bound(list.begin(), list.end(), key, before);
  if (found == list.end() || (*found)->name() != key.name || (*found)->ns() != key.ns) return nullptr;
  return *found;
}

ObjectSnapshot ObjectSnapshot::with(const api::ObjectPtr& object) const {
  const auto all_of_kind = all(object->kind);
  Objects changed(all_of_kind.begin(), all_of_kind.end());
  const api::Key key = object->key();
  const auto place = std::lower_bound(changed.begin(), changed.end(), key, before);
  if (place != changed.end() && (*place)->key() == key)
    *place = object;
  else
    changed.insert(place, object);
  auto lists = objects_;
  lists[object->kind] = std::make_shared<const Objects>(std::move(changed));
  return {generation_, std::move(lists), {}, *this};
}

ObjectSnapshot ObjectSnapshot::only(std::span<const api::KindInfo* const> kinds) const {
  ObjectSnapshot made;
  made.generation_ = generation_;
  for (const api::KindInfo* kind : kinds) {
    if (const auto list = objects_.find(kind); list != objects_.end()) made.objects_.insert(*list);
    if (const auto faults = faults_.find(kind); faults != faults_.end()) made.faults_.insert(*faults);
  }
  made.typed_ = TypedObjects(made.objects_, objects_, typed_);
  return made;
}

std::span<const api::Problem> ObjectSnapshot::faults(const api::Object& object) const {
  auto of_kind = faults_.find(object.kind);
  if (of_kind == faults_.end() || !of_kind->second || of_kind->second->empty()) return {};
  auto found = of_kind->second->find(object.key());
  return found == of_kind->second->end() ? std::span<const api::Problem>() : std::span(found->second);
}

bool has_labels(const api::Object& object, const std::map<std::string, std::string>& wanted) {
  const api::Json& labels = json::map(json::map(object.body, "metadata"), "labels");
  return std::ranges::all_of(wanted, [&](const auto& want) {
    const api::Json& has = json::at(labels, want.first);
    return has.is_string() && has.get_ref<const std::string&>() == want.second;
  });
}

api::Labels template_labels(const api::Object& workload) {
  api::Labels labels;
  const api::Json& metadata = json::map(json::map(workload.spec(), "template"), "metadata");
  for (const auto& [key, value] : json::map(metadata, "labels").items())
    if (value.is_string()) labels.emplace(key, value.get_ref<const std::string&>());
  return labels;
}

namespace kinds {
namespace {
constexpr std::string_view kGatewayApi = "gateway.networking.k8s.io";
}

const api::KindInfo* name_space() { return api::find_kind_by_plural("", "namespaces"); }
const api::KindInfo* service_account() { return api::find_kind_by_plural("", "serviceaccounts"); }
const api::KindInfo* service() { return api::find_kind_by_plural("", "services"); }
const api::KindInfo* pod() { return api::find_kind_by_plural("", "pods"); }
const api::KindInfo* endpoint_slice() {
  return api::find_kind_by_plural("discovery.k8s.io", "endpointslices");
}
const api::KindInfo* deployment() { return api::find_kind_by_plural("apps", "deployments"); }
const api::KindInfo* replica_set() { return api::find_kind_by_plural("apps", "replicasets"); }
const api::KindInfo* ingress() { return api::find_kind_by_plural("networking.k8s.io", "ingresses"); }
const api::KindInfo* ingress_class() {
  return api::find_kind_by_plural("networking.k8s.io", "ingressclasses");
}
const api::KindInfo* gateway() { return api::find_kind_by_plural("networking.istio.io", "gateways"); }
const api::KindInfo* virtual_service() {
  return api::find_kind_by_plural("networking.istio.io", "virtualservices");
}
const api::KindInfo* destination_rule() {
  return api::find_kind_by_plural("networking.istio.io", "destinationrules");
}
const api::KindInfo* gateway_class() { return api::find_kind_by_plural(kGatewayApi, "gatewayclasses"); }
const api::KindInfo* api_gateway() { return api::find_kind_by_plural(kGatewayApi, "gateways"); }
const api::KindInfo* http_route() { return api::find_kind_by_plural(kGatewayApi, "httproutes"); }
const api::KindInfo* reference_grant() { return api::find_kind_by_plural(kGatewayApi, "referencegrants"); }

std::span<const api::KindInfo* const> watched() {
  static const std::array<const api::KindInfo*, 16> kAll = {
      name_space(),     service_account(), service(),         pod(),
      endpoint_slice(), deployment(),      replica_set(),     ingress(),
      ingress_class(),  gateway(),         virtual_service(), destination_rule(),
      gateway_class(),  api_gateway(),     http_route(),      reference_grant()};
  return kAll;
}

}  // namespace kinds
}  // namespace weft::control

#include "store/kubernetes/trim.h"

#include <algorithm>
#include <array>
#include <span>

#include "store/wire.h"

namespace weft::store {
namespace {

using api::Json;

/// Where a field stands; "*" is each item of a list.
struct Field {
  std::string_view kind;  ///< empty: every kind
  std::array<std::string_view, 5> steps;

  std::span<const std::string_view> path() const {
    const auto end = std::ranges::find(steps, std::string_view());
    return std::span(steps).first(static_cast<std::size_t>(end - steps.begin()));
  }
};

constexpr Field kUnread[] = {
    {"", {"metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"}},
    {"Pod", {"spec", "volumes"}},
    {"Pod", {"spec", "tolerations"}},
    {"Pod", {"spec", "affinity"}},
    {"Pod", {"spec", "topologySpreadConstraints"}},
    {"Pod", {"spec", "containers", "*", "command"}},
    {"Pod", {"spec", "containers", "*", "args"}},
    {"Pod", {"spec", "containers", "*", "env"}},
    {"Pod", {"spec", "containers", "*", "envFrom"}},
    {"Pod", {"spec", "containers", "*", "volumeMounts"}},
    {"Pod", {"spec", "containers", "*", "lifecycle"}},
    {"Pod", {"spec", "initContainers", "*", "command"}},
    {"Pod", {"spec", "initContainers", "*", "args"}},
    {"Pod", {"spec", "initContainers", "*", "env"}},
    {"Pod", {"spec", "initContainers", "*", "envFrom"}},
    {"Pod", {"spec", "initContainers", "*", "volumeMounts"}},
    {"Pod", {"spec", "initContainers", "*", "lifecycle"}},
    {"Pod", {"status", "containerStatuses", "*", "containerID"}},
    {"Pod", {"status", "containerStatuses", "*", "imageID"}},
    {"Pod", {"status", "containerStatuses", "*", "allocatedResources"}},
    {"Pod", {"status", "containerStatuses", "*", "resources"}},
    {"Pod", {"status", "containerStatuses", "*", "volumeMounts"}},
    {"Deployment", {"spec", "template", "spec"}},
    {"ReplicaSet", {"spec", "template", "spec"}},
    {"ServiceAccount", {"secrets"}},
    {"ServiceAccount", {"imagePullSecrets"}},
};

constexpr std::string_view kForeignSecrets[] = {"kubernetes.io/service-account-token",
                                                "kubernetes.io/dockercfg",
                                                "kubernetes.io/dockerconfigjson",
                                                "kubernetes.io/basic-auth",
                                                "kubernetes.io/ssh-auth",
                                                "bootstrap.kubernetes.io/token",
                                                "helm.sh/release.v1"};

constexpr Field kSecretData{"Secret", {"data"}};

bool is_foreign_secret(const Json& body, const api::KindInfo& kind) {
  return kind.kind == "Secret" && kind.group.empty() &&
         std::ranges::find(kForeignSecrets, text_member(body, "type")) != std::end(kForeignSecrets);
}

Json* member(Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}
const Json* member(const Json& object, std::string_view name) {
  return member(const_cast<Json&>(object), name);
}

/// What a controller of the mesh wrote is compared whole with what it would write now.
bool is_made_here(const Json& body) {
  const Json* metadata = member(body, "metadata");
  const Json* labels = metadata ? member(*metadata, "labels") : nullptr;
  return labels && member(*labels, "gateway.istio.io/managed");
}

/// Whether there was something.
bool drop(Json& at, std::span<const std::string_view> path) {
  if (path.size() == 1) return at.is_object() && at.erase(std::string(path[0])) > 0;
  bool dropped = false;
  if (path[0] == "*") {
    for (std::size_t i = 0; at.is_array() && i < at.size(); ++i)
      dropped = drop(at[i], path.subspan(1)) || dropped;
    return dropped;
  }
  Json* next = member(at, path[0]);
  return next && drop(*next, path.subspan(1));
}

const Json* item_called(const Json& list, const std::string& name) {
  for (const Json& item : list)
    if (text_member(item, "name") == name) return &item;
  return nullptr;
}

void put_back(Json& at, const Json& whole, std::span<const std::string_view> path) {
  if (path[0] == "*") {
    if (!at.is_array() || !whole.is_array()) return;
    for (Json& item : at)
      if (const Json* same = item_called(whole, text_member(item, "name")))
        put_back(item, *same, path.subspan(1));
    return;
  }
  const Json* had = member(whole, path[0]);
  if (!had || !at.is_object()) return;
  Json* has = member(at, path[0]);
  if (path.size() > 1 && has) return put_back(*has, *had, path.subspan(1));
  if (path.size() == 1 && !has) at[std::string(path[0])] = *had;
}

}  // namespace

void trim(Json& body, const api::KindInfo& kind) {
  bool dropped = false;
  const bool made_here = is_made_here(body);
  for (const Field& field : kUnread)
    if (field.kind.empty() || (field.kind == kind.kind && !made_here))
      dropped = drop(body, field.path()) || dropped;
  if (is_foreign_secret(body, kind)) dropped = drop(body, kSecretData.path()) || dropped;
  Json* metadata = member(body, "metadata");
  if (!metadata || !metadata->is_object()) return;
  metadata->erase("managedFields");
  if (dropped) (*metadata)["managedFields"] = Json::array();
}

void restore(Json& body, const Json& whole, const api::KindInfo& kind) {
  Json* metadata = member(body, "metadata");
  const Json* mark = metadata ? member(*metadata, "managedFields") : nullptr;
  const bool trimmed = mark && mark->is_array() && mark->empty();
  if (metadata && metadata->is_object()) metadata->erase("managedFields");
  if (!trimmed) return;
  if (!metadata->contains("annotations")) (*metadata)["annotations"] = Json::object();
  for (const Field& field : kUnread)
    if (field.kind.empty() || field.kind == kind.kind) put_back(body, whole, field.path());
  if (is_foreign_secret(whole, kind)) put_back(body, whole, kSecretData.path());
  if ((*metadata)["annotations"].empty()) metadata->erase("annotations");
}

}  // namespace weft::store

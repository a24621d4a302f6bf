#include "inject/own_containers.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "inject/json_access.h"
#include "inject/names.h"

namespace weft::inject {
namespace {

using api::Json;

/// By which member Kubernetes tells the items of a container's list apart.
const char* merge_key(std::string_view list) {
  if (list == "env") return "name";
  if (list == "ports") return "containerPort";
  if (list == "volumeMounts") return "mountPath";
  if (list == "volumeDevices") return "devicePath";
  return nullptr;
}

void merge_list(Json& made, const Json& own, const char* key) {
  for (const Json& item : own) {
    bool known = false;
    for (Json& each : made) {
      if (json::at(item, key).is_null() || json::at(each, key) != json::at(item, key)) continue;
      each = item;
      known = true;
    }
    if (!known) made.push_back(item);
  }
}

/// Of the ways to probe or to end, one may be written.
void drop_other_handlers(Json& made, const Json& own) {
  constexpr const char* kHandlers[] = {"exec", "httpGet", "tcpSocket", "grpc", "sleep"};
  if (std::ranges::none_of(kHandlers, [&](const char* each) { return own.contains(each); })) return;
  for (const char* each : kHandlers) made.erase(each);
}

/// An API server gives an image without a tag, which "auto" is to it, the policy Always before a webhook sees
/// it.
bool means_ours(const Json& own, std::string_view name, const Json& value) {
  if (json::string(own, "image") != "auto") return false;
  return name == "image" || (name == "imagePullPolicy" && value == "Always");
}

void merge(Json& made, const Json& own) {
  drop_other_handlers(made, own);
  for (const auto& [name, value] : own.items()) {
    if (means_ours(own, name, value)) continue;
    const char* key = merge_key(name);
    const auto found = made.find(name);
    if (found == made.end() || name == "resources") {
      made[name] = value;
    } else if (found->is_object() && value.is_object()) {
      merge(*found, value);
    } else if (key && found->is_array() && value.is_array()) {
      merge_list(*found, value, key);
    } else {
      *found = value;
    }
  }
}

}  // namespace

OwnContainers take_own_containers(Json& spec) {
  OwnContainers own;
  for (const char* list : {"initContainers", "containers"}) {
    const auto found = spec.find(list);
    if (found == spec.end() || !found->is_array()) continue;
    Json kept = Json::array();
    for (Json& each : *found) {
      const std::string name = json::string(each, "name");
      Json* place = name == kProxyContainer ? &own.proxy : name == kInitContainer ? &own.init : nullptr;
      if (!place) {
        kept.push_back(std::move(each));
        continue;
      }
      own.record[list].push_back(each);
      *place = std::move(each);
    }
    if (kept.empty())
      spec.erase(list);
    else
      *found = std::move(kept);
  }
  return own;
}

void merge_container(Json& made, const Json& own) {
  if (own.is_object()) merge(made, own);
}

}  // namespace weft::inject

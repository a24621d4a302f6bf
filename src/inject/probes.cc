#include "inject/probes.h"

#include <array>
#include <string>
#include <string_view>

#include "inject/names.h"

namespace weft::inject {
namespace {

using api::Json;

struct Place {
  const char* group;  ///< the field around it; empty: the container itself
  const char* field;
  const char* path;
};
constexpr std::array<Place, 5> kPlaces = {{{"", "readinessProbe", "/app-health/%/readyz"},
                                           {"", "livenessProbe", "/app-health/%/livez"},
                                           {"", "startupProbe", "/app-health/%/startupz"},
                                           {"lifecycle", "preStop", "/app-lifecycle/%/prestopz"},
                                           {"lifecycle", "postStart", "/app-lifecycle/%/poststartz"}}};
constexpr const char* kKinds[] = {"httpGet", "tcpSocket", "grpc"};

/// The handler in its place, or null.
Json* handler_at(Json& container, const Place& place) {
  Json* around = &container;
  if (*place.group) {
    const auto group = container.find(place.group);
    if (group == container.end() || !group->is_object()) return nullptr;
    around = &*group;
  }
  const auto found = around->find(place.field);
  return found == around->end() || !found->is_object() ? nullptr : &*found;
}

std::string path_of(const Place& place, const std::string& container) {
  std::string path = place.path;
  return path.replace(path.find('%'), 1, container);
}

/// A port's number when the container declares the name.
Json resolved(const Json& port, const Json& container) {
  const auto ports = container.find("ports");
  if (!port.is_string() || ports == container.end() || !ports->is_array()) return port;
  for (const Json& each : *ports)
    if (each.is_object() && each.value("name", "") == port.get<std::string>())
      return each.value("containerPort", Json());
  return port;
}

/// What the sidecar has to know; null for what is left as it is.
Json original_of(const Json& handler, const Json& container) {
  for (const char* kind : kKinds) {
    const auto found = handler.find(kind);
    if (found == handler.end() || !found->is_object() || found->contains("host")) continue;
    Json call = *found;
    if (call.contains("port")) call["port"] = resolved(call["port"], container);
    if (call.value("path", "").starts_with("/app-health/")) return nullptr;
    Json original = {{kind, std::move(call)}};
    if (const auto timeout = handler.find("timeoutSeconds"); timeout != handler.end())
      original["timeoutSeconds"] = *timeout;
    return original;
  }
  return nullptr;
}

template <class Visit>
void each_container(Json& spec, Visit visit) {
  for (const char* list : {"initContainers", "containers"}) {
    const auto found = spec.find(list);
    if (found == spec.end() || !found->is_array()) continue;
    for (Json& container : *found)
      if (container.is_object() && container.value("name", "") != kProxyContainer) visit(container);
  }
}

}  // namespace

Json rewrite_probes(Json& spec, std::uint16_t status_port) {
  nlohmann::json originals = nlohmann::json::object();
  each_container(spec, [&](Json& container) {
    for (const Place& place : kPlaces) {
      Json* handler = handler_at(container, place);
      Json original = handler ? original_of(*handler, container) : Json();
      if (original.is_null()) continue;
      const std::string path = path_of(place, container.value("name", ""));
      for (const char* kind : kKinds) handler->erase(kind);
      (*handler)["httpGet"] = {{"path", path}, {"port", status_port}};
      originals[path] = std::move(original);
    }
  });
  return originals;
}

void restore_probes(Json& spec, const Json& originals) {
  each_container(spec, [&](Json& container) {
    for (const Place& place : kPlaces) {
      Json* handler = handler_at(container, place);
      const auto found = originals.find(path_of(place, container.value("name", "")));
      if (!handler || found == originals.end() || !found->is_object()) continue;
      if (!handler->contains("httpGet")) continue;
      handler->erase("httpGet");
      for (const auto& [name, value] : found->items()) (*handler)[name] = value;
    }
  });
}

}  // namespace weft::inject

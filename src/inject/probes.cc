#include "inject/probes.h"

#include <array>
#include <string>
#include <string_view>

#include "inject/checks.h"
#include "inject/json_access.h"
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

/// A port's number, when it is one or the container declares the name; else null.
Json resolved(const Json& port, const Json& container) {
  if (port.is_number_unsigned()) return port;
  if (!port.is_string()) return nullptr;
  for (const Json& each : json::list(container, "ports"))
    if (json::at(each, "name") == port) return json::at(each, "containerPort");
  const auto written = number(port.get_ref<const std::string&>(), 1, 65535);
  return written ? Json(*written) : Json(nullptr);
}

/// What the sidecar has to know; null for what is left as it is.
Json original_of(const Json& handler, const Json& container) {
  for (const char* kind : kKinds) {
    const Json& found = json::at(handler, kind);
    if (!found.is_object() || found.contains("host")) continue;
    Json call = found;
    call["port"] = resolved(json::at(call, "port"), container);
    if (call["port"].is_null()) return nullptr;
    Json original = {{kind, std::move(call)}};
    if (const Json& timeout = json::at(handler, "timeoutSeconds"); !timeout.is_null())
      original["timeoutSeconds"] = timeout;
    return original;
  }
  return nullptr;
}

/// The name of a port that the handler asks for and its container does not declare; empty when there is none.
std::string undeclared_port(const Json& handler, const Json& container) {
  for (const char* kind : kKinds) {
    const Json& found = json::at(handler, kind);
    if (found.is_object() && !found.contains("host") &&
        resolved(json::at(found, "port"), container).is_null())
      return json::string(found, "port");
  }
  return {};
}

/// What runs before a classic sidecar does cannot go through it, and needs not: nothing is captured yet.
bool comes_too_early(const char* list, const Place& place, bool native) {
  return !native && std::string_view(list) == "initContainers" &&
         (std::string_view(place.field) == "startupProbe" || std::string_view(place.field) == "postStart");
}

template <class Visit>
void each_container(Json& spec, Visit visit) {
  for (const char* list : {"initContainers", "containers"}) {
    Json* found = list_in(spec, list);
    if (!found) continue;
    for (Json& container : *found)
      if (container.is_object() && json::string(container, "name") != kProxyContainer) visit(container, list);
  }
}

}  // namespace

RewrittenProbes rewrite_probes(Json& spec, std::uint16_t status_port, bool native) {
  RewrittenProbes made;
  each_container(spec, [&](Json& container, const char* list) {
    for (const Place& place : kPlaces) {
      Json* handler = comes_too_early(list, place, native) ? nullptr : handler_at(container, place);
      Json original = handler ? original_of(*handler, container) : Json();
      if (original.is_null()) {
        const std::string port = handler ? undeclared_port(*handler, container) : "";
        if (!port.empty())
          made.warnings.push_back(
              "container " + json::string(container, "name") + ": " + place.field + " asks for port \"" +
              port + "\", which the container does not declare; it is left as it is and will fail");
        continue;
      }
      const std::string path = path_of(place, json::string(container, "name"));
      for (const char* kind : kKinds) {
        if (const Json& port = json::at(json::at(*handler, kind), "port"); port.is_string())
          made.port_names[path] = port;
        handler->erase(kind);
      }
      (*handler)["httpGet"] = {{"path", path}, {"port", status_port}};
      made.originals[path] = std::move(original);
    }
  });
  return made;
}

void restore_probes(Json& spec, const RewrittenProbes& previous) {
  each_container(spec, [&](Json& container, const char*) {
    for (const Place& place : kPlaces) {
      Json* handler = handler_at(container, place);
      const std::string path = path_of(place, json::string(container, "name"));
      const Json& original = json::at(previous.originals, path);
      if (!handler || !original.is_object() || json::string(json::at(*handler, "httpGet"), "path") != path)
        continue;
      handler->erase("httpGet");
      for (const char* kind : kKinds) {
        if (!json::at(original, kind).is_object()) continue;
        (*handler)[kind] = original[kind];
        if (const Json& name = json::at(previous.port_names, path); !name.is_null())
          (*handler)[kind]["port"] = name;
      }
    }
  });
}

}  // namespace weft::inject

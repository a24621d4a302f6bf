#include "inject/stale_endpoints.h"

#include "inject/json_access.h"
#include "inject/names.h"

namespace weft::inject {
namespace {

using api::Json;

Json sleep(const Json& seconds) { return {{"sleep", {{"seconds", seconds}}}}; }

}  // namespace

Json wait_for_stale_endpoints(Json& spec, int seconds) {
  Json record = Json::object();
  Json* containers = list_in(spec, "containers");
  if (!containers) return record;
  for (Json& container : *containers) {
    const std::string name = json::string(container, "name");
    if (!container.is_object() || name == kProxyContainer) continue;
    const Json& lifecycle = json::at(container, "lifecycle");
    if (!lifecycle.is_null() && !lifecycle.is_object()) continue;
    if (!json::at(lifecycle, "preStop").is_null()) continue;
    container["lifecycle"]["preStop"] = sleep(seconds);
    record[name] = seconds;
  }
  return record;
}

void stop_waiting(Json& spec, const Json& record) {
  Json* containers = list_in(spec, "containers");
  if (!containers) return;
  for (Json& container : *containers) {
    const Json& seconds = json::at(record, json::string(container, "name"));
    if (seconds.is_null() || json::at(json::at(container, "lifecycle"), "preStop") != sleep(seconds))
      continue;
    Json& lifecycle = container["lifecycle"];
    lifecycle.erase("preStop");
    if (lifecycle.empty()) container.erase("lifecycle");
  }
}

}  // namespace weft::inject

#include "control/webhook/validation.h"

#include "api/admit.h"
#include "control/json.h"
#include "control/translation/object_check.h"

namespace weft::control {
namespace {

Result<api::Object> admitted(api::Json object) {
  // An API server's own, and its affair: an object that waits for a finalizer could not be ended else.
  if (auto metadata = object.find("metadata"); metadata != object.end() && metadata->is_object())
    for (const char* name : {"finalizers", "generateName"}) metadata->erase(name);
  return api::admit(std::move(object), check_object);
}

/// Whether the stored object has this fault already and its spec stays: nothing gets worse, and one who
/// labels it or takes its finalizer away could not do so else.
bool stays_as_it_is(const AdmissionRequest& request, const std::string& fault) {
  if (!request.old_object.is_object()) return false;
  if (json::map(request.old_object, "spec") != json::map(request.object, "spec")) return false;
  const auto before = admitted(request.old_object);
  return !before && before.error().text == fault;
}

AdmissionResponse validate(const AdmissionRequest& request, const RemarksOnWrite& remarks) {
  std::string version(json::text(request.object, "apiVersion"));
  std::string kind(json::text(request.object, "kind"));
  if (!api::find_kind(version, kind))
    return {.warnings = {"weft does not do " + kind + " of " + version + ": it has no effect"}};
  auto object = admitted(request.object);
  AdmissionResponse response;
  if (!object) {
    std::string fault = std::move(object).error().text;
    if (stays_as_it_is(request, fault)) return {.warnings = {std::move(fault)}};
    return {.allowed = false, .message = std::move(fault)};
  }
  if (!remarks) return response;
  for (const Remark& each : remarks(std::make_shared<const api::Object>(std::move(*object))))
    response.warnings.push_back(each.field.empty() ? each.text : each.field + ": " + each.text);
  return response;
}

}  // namespace

AdmissionResponse validate_object(const AdmissionRequest& request, const RemarksOnWrite& remarks) {
  if (request.operation == "DELETE" || request.object.is_null()) return {};
  try {
    // It goes as soon as its last finalizer is taken away, which is an update.
    if (json::map(request.object, "metadata").contains("deletionTimestamp")) return {};
    return validate(request, remarks);
  } catch (const api::Json::exception& error) {
    return {.allowed = false, .message = std::string("a field has a wrong type: ") + error.what()};
  }
}

}  // namespace weft::control

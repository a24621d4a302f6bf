#include "control/webhook/validation.h"

#include "api/admit.h"
#include "control/json.h"
#include "control/translation/object_check.h"

namespace weft::control {
namespace {

AdmissionAnswer validate(const AdmissionRequest& request, const RemarksOnWrite& remarks) {
  std::string version(json::text(request.object, "apiVersion"));
  std::string kind(json::text(request.object, "kind"));
  if (!api::find_kind(version, kind))
    return {.warnings = {"weft does not do " + kind + " of " + version + ": it has no effect"}};
  api::Json object = request.object;
  // An API server's own, and its affair: an object that waits for a finalizer could not be ended else.
  if (auto metadata = object.find("metadata"); metadata != object.end() && metadata->is_object())
    for (const char* name : {"finalizers", "generateName"}) metadata->erase(name);
  auto admitted = api::admit(std::move(object), check_object);
  if (!admitted) return {.allowed = false, .message = std::move(admitted).error().text};
  AdmissionAnswer answer;
  if (!remarks) return answer;
  for (const Remark& each : remarks(std::make_shared<const api::Object>(std::move(*admitted))))
    answer.warnings.push_back(each.field.empty() ? each.text : each.field + ": " + each.text);
  return answer;
}

}  // namespace

AdmissionAnswer validate_object(const AdmissionRequest& request, const RemarksOnWrite& remarks) {
  if (request.operation == "DELETE" || request.object.is_null()) return {};
  try {
    return validate(request, remarks);
  } catch (const api::Json::exception& error) {
    return {.allowed = false, .message = std::string("a field has a wrong type: ") + error.what()};
  }
}

}  // namespace weft::control

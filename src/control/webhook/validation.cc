#include "control/webhook/validation.h"

#include "api/admit.h"
#include "control/json.h"
#include "control/translation/object_check.h"

namespace weft::control {
namespace {

AdmissionAnswer validate(const AdmissionRequest& request) {
  std::string version(json::text(request.object, "apiVersion"));
  std::string kind(json::text(request.object, "kind"));
  if (!api::find_kind(version, kind))
    return {.warnings = {"weft does not do " + kind + " of " + version + ": it has no effect"}};
  auto admitted = api::admit(request.object, check_object);
  if (admitted) return {};
  return {.allowed = false, .message = std::move(admitted).error().text};
}

}  // namespace

AdmissionAnswer validate_object(const AdmissionRequest& request) {
  if (request.operation == "DELETE" || request.object.is_null()) return {};
  try {
    return validate(request);
  } catch (const api::Json::exception& error) {
    return {.allowed = false, .message = std::string("a field has a wrong type: ") + error.what()};
  }
}

}  // namespace weft::control

#include "control/webhook/admission_review.h"

#include "api/json_text.h"
#include "base/base64.h"
#include "base/strings.h"
#include "control/json.h"

namespace weft::control {
namespace {

constexpr int kDeepest = 100;
constexpr std::string_view kVersion = "admission.k8s.io/v1";
constexpr std::size_t kMaxMessage = 4096;
constexpr std::size_t kMaxWarnings = 16;

Error invalid(std::string text) { return Error::downstream(Code::kInvalid, std::move(text)); }

}  // namespace

Result<AdmissionRequest> read_admission_review(std::string_view body) {
  api::Json review = api::parse_json(body);
  if (!review.is_object() || api::deeper_than(review, kDeepest))
    return fail(invalid("the body is no JSON object of at most 100 levels"));
  if (json::text(review, "apiVersion") != kVersion || json::text(review, "kind") != "AdmissionReview")
    return fail(invalid("the body is no AdmissionReview of admission.k8s.io/v1"));
  const api::Json& request = json::map(review, "request");
  AdmissionRequest made;
  made.uid = json::text(request, "uid");
  if (made.uid.empty()) return fail(invalid("request.uid is missing"));
  made.ns = json::text(request, "namespace");
  made.name = json::text(request, "name");
  made.operation = json::text(request, "operation");
  for (const auto& [name, into] :
       {std::pair("object", &made.object), std::pair("oldObject", &made.old_object)})
    if (auto object = review["request"].find(name); object != review["request"].end())
      *into = std::move(*object);
  return made;
}

std::string write_admission_review(const std::string& uid, const AdmissionResponse& from) {
  api::Json response = {{"uid", uid}, {"allowed", from.allowed}};
  if (!from.allowed)
    response["status"] = {
        {"message", std::string(cut(from.message, kMaxMessage))}, {"reason", "Invalid"}, {"code", 422}};
  for (std::size_t i = 0; i < std::min(from.warnings.size(), kMaxWarnings); ++i)
    response["warnings"].push_back(from.warnings[i]);
  if (from.allowed && !from.patch.is_null() && !from.patch.empty()) {
    response["patchType"] = "JSONPatch";
    response["patch"] = encode_base64(api::json_text(from.patch));
  }
  api::Json review = {
      {"apiVersion", kVersion}, {"kind", "AdmissionReview"}, {"response", std::move(response)}};
  return review.dump(-1, ' ', false, api::Json::error_handler_t::replace);
}

}  // namespace weft::control

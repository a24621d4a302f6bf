#include "store/api_status.h"

namespace weft::store {

StatusForm status_form(const Error& error) {
  switch (error.code) {
    case Code::kNotFound: return {404, "NotFound"};
    case Code::kConflict:
      if (error.text.ends_with("already exists")) return {409, "AlreadyExists"};
      if (error.text.find("resource version:") != std::string::npos) return {410, "Expired"};
      return {409, "Conflict"};
    case Code::kInvalid:
    case Code::kUnsupported: return {422, "Invalid"};
    case Code::kTooLarge: return {413, "RequestEntityTooLarge"};
    case Code::kDenied: return {403, "Forbidden"};
    case Code::kTimeout: return {504, "Timeout"};
    case Code::kUnavailable: return {503, "ServiceUnavailable"};
    default: return {500, "InternalError"};
  }
}

api::Json status_object(int http, std::string reason, std::string message) {
  return {{"kind", "Status"},
          {"apiVersion", "v1"},
          {"metadata", api::Json::object()},
          {"status", http < 400 ? "Success" : "Failure"},
          {"message", std::move(message)},
          {"reason", std::move(reason)},
          {"code", http}};
}

api::Json status_object(const Error& error) {
  StatusForm form = status_form(error);
  return status_object(form.http, std::move(form.reason), error.text);
}

Error error_of_status(int http, const std::string& body) {
  const api::Json parsed = api::Json::parse(body, nullptr, false);
  std::string message = parsed.is_object() ? parsed.value("message", "") : "";
  if (message.empty()) message = "the API answered " + std::to_string(http);
  Code code = Code::kInternal;
  switch (http) {
    case 404: code = Code::kNotFound; break;
    case 409:
    case 410: code = Code::kConflict; break;
    case 400:
    case 422: code = Code::kInvalid; break;
    case 403: code = Code::kDenied; break;
    case 413: code = Code::kTooLarge; break;
    case 503: code = Code::kUnavailable; break;
    case 504: code = Code::kTimeout; break;
    default: break;
  }
  return Error::config(code, std::move(message));
}

}  // namespace weft::store

#include "store/api_status.h"

#include "api/json_text.h"
#include "store/wire.h"

namespace weft::store {
namespace {

constexpr std::string_view kNoSuchType = "the server could not find the requested resource";

Code code_of(int http) {
  switch (http) {
    case 404: return Code::kNotFound;
    case 409:
    case 410: return Code::kConflict;
    case 400:
    case 415:
    case 422: return Code::kInvalid;
    case 401:
    case 403: return Code::kDenied;
    case 413: return Code::kTooLarge;
    case 429:
    case 502:
    case 503: return Code::kUnavailable;
    case 504: return Code::kTimeout;
    default: return Code::kInternal;
  }
}

}  // namespace

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
  const api::Json parsed = api::parse_json(body);
  const bool is_status = text_member(parsed, "kind") == "Status";
  std::string message = text_member(parsed, "message");
  // A path that no resource has: a plain text, or this message.
  const bool no_such_type = http == 404 && (!is_status || message == kNoSuchType);
  if (message.empty()) message = "the API's response is " + std::to_string(http);
  const bool from_the_future = message.find("oo large resource version") != std::string::npos;
  if (from_the_future) return Error::config(Code::kConflict, std::move(message));
  if (no_such_type) return Error::config(Code::kUnsupported, std::string(kNoSuchType));
  return Error::config(code_of(http), std::move(message));
}

}  // namespace weft::store

#pragma once

#include <string>

#include "api/json.h"
#include "base/error.h"

namespace weft::store {

/// The HTTP status and `reason` that Kubernetes has for an error of ours; and back.
struct StatusForm {
  int http = 500;
  std::string reason;
};
StatusForm status_form(const Error& error);
/// A Kubernetes `Status` object.
api::Json status_object(const Error& error);
api::Json status_object(int http, std::string reason, std::string message);
/// The error that a `Status` response tells: kNotFound: an object that is not there; kUnsupported: a type of
/// resource that is not there; kConflict: also a watch that must begin again, its version being too old or
/// not reached yet; kDenied; kInvalid; kTooLarge; kUnavailable, also for 429; kTimeout; kInternal. The text
/// is the server's.
Error error_of_status(int http, const std::string& body);

}  // namespace weft::store

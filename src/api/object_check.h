#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/object.h"
#include "api/path.h"

namespace weft::api {

/// What a further check of an object found.
struct Finding {
  std::string at;    ///< where, as a JSON pointer into the object (RFC 6901): "/spec/http/0"
  std::string text;  ///< the bad value and what would be right; one line without a final dot
};

/// Calls `use` once, with the place below `at` to which a finding's pointer leads.
void with_place(std::string_view pointer, const Path& at, const std::function<void(const Path&)>& use);

/// "spec.http[0].match: …", for a place without a file.
std::string to_string(const Finding& finding);

/// A check that this room cannot make by itself, of an object that fits its schema and is defaulted: what its
/// proxies would say, for instance. Empty: nothing is wrong. It is handed in by the module that takes objects
/// in, and has to be callable from any thread.
using ObjectCheck = std::function<std::vector<Finding>(const Object&)>;

}  // namespace weft::api

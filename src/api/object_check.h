#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/object.h"

namespace weft::api {

/// What a further check of an object found.
struct Finding {
  std::string at;    ///< where, as a JSON pointer into the object (RFC 6901): "/spec/http/0"
  std::string text;  ///< the bad value and what would be right; one line without a final dot
};

/// A check that this room cannot make by itself, of an object that fits its schema and is defaulted: what its
/// proxies would say, for instance. Empty: nothing is wrong. It is handed in by whoever takes objects in, and
/// has to be callable from any thread.
using ObjectCheck = std::function<std::vector<Finding>(const Object&)>;

}  // namespace weft::api

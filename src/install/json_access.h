#pragma once

#include <string>

#include "api/json_access.h"

namespace weft::install {

namespace json = api::json;

inline std::string name_of(const api::Json& object) { return json::string(object, {"metadata", "name"}); }
inline std::string namespace_of(const api::Json& object) {
  return json::string(object, {"metadata", "namespace"});
}
inline std::string label_of(const api::Json& object, const char* key) {
  return json::string(object, {"metadata", "labels", key});
}
inline std::string annotation_of(const api::Json& object, const char* key) {
  return json::string(object, {"metadata", "annotations", key});
}

}  // namespace weft::install

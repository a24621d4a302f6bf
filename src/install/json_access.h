#pragma once

#include <initializer_list>
#include <string>

#include "api/json.h"

namespace weft::install {

/// What stands below `from` at that path; null when a step is missing or not a map. For responses of the API
/// server, which are not to be trusted to have any shape.
inline const api::Json& at(const api::Json& from, std::initializer_list<const char*> path) {
  static const api::Json kNothing = nullptr;
  const api::Json* here = &from;
  for (const char* step : path) {
    if (!here->is_object()) return kNothing;
    const auto found = here->find(step);
    if (found == here->end()) return kNothing;
    here = &*found;
  }
  return *here;
}

/// Empty when it is not a text.
inline std::string text_at(const api::Json& from, std::initializer_list<const char*> path) {
  const api::Json& found = at(from, path);
  return found.is_string() ? found.get<std::string>() : std::string();
}

/// 0 when it is not a number.
inline int number_at(const api::Json& from, std::initializer_list<const char*> path) {
  const api::Json& found = at(from, path);
  return found.is_number_integer() ? found.get<int>() : 0;
}

/// Empty when it is not a list.
inline const api::Json& list_at(const api::Json& from, std::initializer_list<const char*> path) {
  static const api::Json kNone = api::Json::array();
  const api::Json& found = at(from, path);
  return found.is_array() ? found : kNone;
}

inline std::string name_of(const api::Json& object) { return text_at(object, {"metadata", "name"}); }
inline std::string namespace_of(const api::Json& object) {
  return text_at(object, {"metadata", "namespace"});
}
inline std::string label_of(const api::Json& object, const char* key) {
  return text_at(object, {"metadata", "labels", key});
}
inline std::string annotation_of(const api::Json& object, const char* key) {
  return text_at(object, {"metadata", "annotations", key});
}

}  // namespace weft::install

#pragma once

#include <cstdint>
#include <string>

#include "api/fields.h"

namespace weft::api::istio {

/// How a text of a request has to be. Istio's StringMatch.
struct StringMatch {
  enum class Form : std::uint8_t {
    kPresent,  ///< it is there, whatever it is
    kExact,
    kPrefix,
    kRegex  ///< RE2, of the whole text
  };
  Form form = Form::kPresent;
  std::string text = {};  ///< of all forms but kPresent
  bool operator==(const StringMatch&) const = default;
};

/// Of a header or a query parameter.
struct NamedMatch {
  std::string name;
  StringMatch value;
  bool operator==(const NamedMatch&) const = default;
};

/// {"exact"|"prefix"|"regex": text}; {} is kPresent. `understood` becomes false, and stays as it is
/// otherwise, when it is none of these. Any thread.
StringMatch read_string_match(const Json& from, bool& understood);

}  // namespace weft::api::istio

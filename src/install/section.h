#pragma once

#include <string>
#include <vector>

#include "api/json.h"

namespace weft::install {

/// One object of the stream, and what the person who reads the stream should know of it.
struct Part {
  std::string comment;  ///< lines without '#'; empty: none
  api::Json object;
  /// Of a role: why it has each of its rules, in their order. Empty for other objects.
  std::vector<std::string> reasons = {};
};

using Parts = std::vector<Part>;

}  // namespace weft::install

#pragma once

#include <string>

#include "api/json.h"
#include "base/error.h"
#include "cli/options.h"

namespace weft::cli {

/// Whole values as kubectl prints them, keys in order: YAML, or JSON indented by four; or through a jsonpath
/// template. Errors: kInvalid for a template that does not parse. `output` is kYaml, kJson or kJsonPath.
Result<std::string> print_value(const api::Json& value, const Output& output);
inline bool prints_values(const Output& output) {
  return output.format == Format::kYaml || output.format == Format::kJson ||
         output.format == Format::kJsonPath;
}

}  // namespace weft::cli

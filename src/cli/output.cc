#include "cli/output.h"

#include "api/yaml.h"
#include "cli/json_path_template.h"

namespace weft::cli {

Result<std::string> print_value(const api::Json& value, const Output& output) {
  if (output.format == Format::kYaml) return api::to_yaml(value);
  if (output.format == Format::kJsonPath) {
    WEFT_TRY(const JsonPathTemplate path, JsonPathTemplate::parse(output.json_path));
    return path.expand(value);
  }
  const nlohmann::json sorted = value;
  return sorted.dump(4, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace weft::cli

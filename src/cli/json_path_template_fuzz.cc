#include <cstdint>
#include <string_view>

#include "cli/json_path_template.h"
#include "nlohmann/json.hpp"

/// Any text as a jsonpath template, expanded over an object.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const auto object = weft::api::Json::parse(
      R"({"kind":"List","items":[{"metadata":{"name":"a","labels":{"app":"x"}},"n":1},{"metadata":{"name":"b"},"n":2}]})");
  const auto made = weft::cli::JsonPathTemplate::parse(text);
  if (made) static_cast<void>(made->expand(object));
  return 0;
}

#include <cstdint>
#include <string_view>

#include "api/parse.h"
#include "api/yaml.h"
#include "api/yaml_reader.h"
#include "base/error.h"

/// Any bytes as a file: they are rejected or read, and what was read prints as YAML that reads as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft::api;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Document& document : read_yaml(text).documents) {
    YamlStream again = read_yaml(to_yaml(document.value));
    WEFT_ASSERT(!again.fault && again.documents.size() == 1);
    // The order of keys is not kept: kubectl's printing sorts them.
    WEFT_ASSERT(nlohmann::json(again.documents[0].value) == nlohmann::json(document.value));
  }
  const Parsed parsed = parse_objects(text, "fuzz");
  WEFT_ASSERT(parsed.objects.size() == parsed.written.size());
  return 0;
}

#include <cstdint>
#include <string_view>

#include "yaml/document.h"
#include "yaml/event_reader.h"

/// Any bytes as YAML, by both readers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(weft::yaml::Document::parse(text, "fuzz"));
  weft::yaml::EventReader reader(text);
  for (auto event = reader.next(); event && event->kind != weft::yaml::Event::Kind::kEnd;
       event = reader.next()) {
  }
  return 0;
}

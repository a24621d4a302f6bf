#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::xds {

/// One YAML (or JSON) document as JSON, and the line each field came from, by its path ("static_resources.clusters[0].name").
struct YamlDocument {
  std::string json;
  std::map<std::string, int> lines;
  /// The line of `path` or of the nearest thing around it; 0 when nothing is known.
  int line_of(std::string path) const;
};

/// Errors: kInvalid with "file:line: …" for what does not parse, duplicate keys, aliases (they could grow without bound)
/// and more than one document; kTooLarge beyond 16 MiB or 100 levels.
Result<YamlDocument> read_yaml(std::string_view text, std::string_view file);

}  // namespace weft::xds

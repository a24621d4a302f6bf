#include "api/testing/spec.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "api/yaml_reader.h"

namespace weft::api::testing {

Json spec(std::string_view yaml) {
  YamlStream stream = read_yaml(yaml);
  if (stream.fault || stream.documents.size() != 1) std::abort();
  return std::move(stream.documents.front().value);
}

Parsed file(std::string_view api_version, std::string_view kind, std::string_view spec) {
  Parsed parsed = parse_objects("apiVersion: " + std::string(api_version) + "\nkind: " + std::string(kind) +
                                    "\nmetadata: {name: a}\nspec:\n" + std::string(spec),
                                "f.yaml");
  for (const Problem& problem : parsed.problems) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
  if (parsed.objects.size() != 1) std::abort();
  return parsed;
}

}  // namespace weft::api::testing

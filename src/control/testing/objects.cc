#include "control/testing/objects.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "api/parse.h"

namespace weft::control::testing {

std::vector<api::ObjectPtr> objects(std::string_view yaml) {
  api::Parsed parsed = api::parse_objects(yaml, "test.yaml");
  for (const auto& problem : parsed.problems) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
  if (!parsed.problems.empty()) std::abort();
  std::vector<api::ObjectPtr> made;
  for (auto& object : parsed.objects) {
    if (object.kind->namespaced && object.ns().empty()) object.body["metadata"]["namespace"] = "default";
    made.push_back(std::make_shared<const api::Object>(std::move(object)));
  }
  return made;
}

std::string testdata_path(const std::string& name) {
  return (std::filesystem::path(WEFT_CONTROL_TESTDATA) / name).string();
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<api::ObjectPtr> objects_of_file(const std::string& name) {
  return objects(read_file(testdata_path(name)));
}

}  // namespace weft::control::testing

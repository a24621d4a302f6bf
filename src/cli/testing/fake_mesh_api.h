#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/mesh_api.h"

namespace weft::cli::testing {

/// Answers by the path before '?', 404 for others, and remembers what was asked.
class FakeMeshApi final : public MeshApi {
 public:
  net::Task<Result<Answer>> get(std::string path, Duration) override {
    asked.push_back(path);
    if (on_get) on_get();
    const auto found = answers.find(path.substr(0, path.find('?')));
    if (found == answers.end()) co_return Answer{404, nullptr};
    co_return found->second;
  }
  std::map<std::string, Answer> answers;
  std::vector<std::string> asked;
  std::function<void()> on_get;  ///< what controllers do meanwhile
};

}  // namespace weft::cli::testing

#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/mesh_api.h"

namespace weft::cli::testing {

/// Responds by the path before '?', 404 for others, and remembers what was asked.
class FakeMeshApi final : public MeshApi {
 public:
  net::Task<Result<Response>> get(std::string path, Duration) override {
    asked.push_back(path);
    if (on_get) co_await on_get();
    const auto found = responses.find(path.substr(0, path.find('?')));
    if (found == responses.end()) co_return Response{404, nullptr};
    co_return found->second;
  }
  std::map<std::string, Response> responses;
  std::vector<std::string> asked;
  std::function<net::Task<void>()> on_get;  ///< what controllers do meanwhile
};

}  // namespace weft::cli::testing

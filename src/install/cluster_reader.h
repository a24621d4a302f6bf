#pragma once

#include <string>
#include <vector>

#include "store/kubernetes/raw_api.h"

namespace weft::install {

/// Reads a cluster piece by piece for commands. What is not there, be it the object or its type, is not an
/// error. Owner: a command; `api` must outlive it. Thread: the loop's.
class ClusterReader {
 public:
  explicit ClusterReader(store::RawApi& api) : api_(api) {}

  /// The object at `path`; null when there is none.
  net::Task<Result<api::Json>> get(std::string path);
  /// The items at `path`, with a query of its own if it has one, page by page; at most 100,000.
  net::Task<Result<std::vector<api::Json>>> list(std::string path);

 private:
  store::RawApi& api_;
};

}  // namespace weft::install

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "inject/settings.h"

namespace weft::inject {

struct ManifestOptions {
  Settings settings;
  std::string default_namespace = "default";
  bool keep_api_versions = false;
};

/// A file with its workloads injected.
struct Manifest {
  std::string text;
  std::vector<std::string> notes;  ///< for the person: what was changed besides, and what was not injected
  int injected = 0;                ///< pod templates that have a sidecar now
};

/// Injects a YAML or JSON file of any number of documents. Documents that are not concerned come out byte for
/// byte, and in those that are, everything but the changed places. Any thread.
///
/// Error: one document that is wrong, with "file:line: "; nothing is done then.
Result<Manifest> inject_manifest(std::string_view text, const std::string& file_name,
                                 const ManifestOptions& options);

}  // namespace weft::inject

#pragma once

#include <string>
#include <vector>

#include "api/json.h"
#include "base/error.h"

namespace weft::cli {

/// One object of a kustomization, changed as it says, and the file that it comes from.
struct Kustomized {
  std::string file;
  api::Json value;
};

/// What `kubectl kustomize FOLDER` would print, its resources in their order, for the fields that the samples
/// use: resources (files and folders), namespace, images (newName, newTag), and patches with a target's kind
/// and name and JSON patches (RFC 6902) as text. Errors: kNotFound, kInvalid; every other field is one, named
/// with its file.
Result<std::vector<Kustomized>> kustomize(const std::string& folder);

/// Whether a file's name is that of a kustomization.
bool is_kustomization(const std::string& file_name);

}  // namespace weft::cli

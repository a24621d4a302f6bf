#pragma once

#include <string>
#include <vector>

#include "api/object.h"
#include "api/origin.h"
#include "base/error.h"
#include "cli/console.h"

namespace weft::cli {

/// An object of a file, in the stored version: as it was written, for apply to remember, and defaulted.
struct InputObject {
  api::Object object;
  api::Json written;
  api::Origin origin = {};
};

/// Reads what -f names: files, folders (*.yaml, *.yml, *.json, by name; a kustomization.yaml is passed over
/// with a note) and "-"; and what -k names. Objects of namespaced kinds
/// without a namespace get `ns`. Every problem of every file is in the error's text, one a line; notes go to
/// standard error. Errors: kInvalid, kNotFound.
struct InputOptions {
  std::vector<std::string> files;
  bool recursive = false;
  std::string ns;
  std::string kustomization = {};  ///< -k: a folder with a kustomization.yaml; empty: none
};
/// The text of one file. Error: it cannot be read, is an address, or is larger than 10 MB.
Result<std::string> read_input_file(const std::string& name);
/// The same, or the text of standard input for "-".
Result<std::string> read_input_text(Console& console, const std::string& name);

Result<std::vector<InputObject>> read_input_objects(Console& console, const InputOptions& options);

}  // namespace weft::cli

#include <fstream>

#include "cli/command.h"
#include "cli/input_files.h"
#include "inject/manifest.h"

namespace weft::cli {
namespace {

Result<inject::ManifestOptions> manifest_options(Console& console, const GlobalOptions& global,
                                                 const KubeInjectOptions& options) {
  inject::ManifestOptions made;
  if (!options.settings_file.empty()) {
    WEFT_TRY(const std::string text, read_input_text(console, options.settings_file));
    WEFT_TRY(made.settings, inject::Settings::parse(text, options.settings_file));
  }
  if (!options.image.empty()) made.settings.image = options.image;
  if (options.form != KubeInjectOptions::Form::kByCluster)
    made.settings.native = options.form == KubeInjectOptions::Form::kNative;
  made.default_namespace = global.ns;
  made.keep_api_versions = options.keep_api_versions;
  return made;
}

}  // namespace

CommandResult kube_inject(Console& console, const GlobalOptions& global, const KubeInjectOptions& options) {
  WEFT_TRY(const inject::ManifestOptions manifest, manifest_options(console, global, options));
  WEFT_TRY(const std::string text, read_input_text(console, options.file));
  const std::string name = options.file == "-" ? "standard input" : options.file;
  WEFT_TRY(const inject::Manifest made, inject::inject_manifest(text, name, manifest));
  for (const std::string& note : made.notes) console.err(note + "\n");
  if (options.output.empty()) {
    console.out(made.text);
    return Exit::kDone;
  }
  errno = 0;
  std::ofstream file(options.output, std::ios::binary | std::ios::trunc);
  file << made.text;
  if (!file.flush())
    return fail(Error::config(Code::kDenied, options.output + ": cannot be written: " + errno_text(errno)));
  return Exit::kDone;
}

}  // namespace weft::cli

#include <fstream>
#include <optional>

#include "cli/command.h"
#include "cli/input_files.h"
#include "inject/manifest.h"

namespace weft::cli {
namespace {

/// A cluster that cannot be asked is worth a line; the file is injected all the same.
std::optional<ClusterFacts> facts_of(Console& console, const KubeInjectOptions& options,
                                     const AskCluster& ask) {
  const bool all_is_said =
      !options.settings_file.empty() && options.form != KubeInjectOptions::Form::kByCluster;
  if (!ask || all_is_said) return {};
  auto facts = ask();
  if (facts && !facts->note.empty() && options.settings_file.empty()) console.err(facts->note + "\n");
  if (facts) return std::move(*facts);
  if (facts.error().code != Code::kNotFound)
    console.err("the cluster was not asked for its version and settings: " + facts.error().text + "\n");
  return {};
}

Result<inject::Settings> read_settings(Console& console, const KubeInjectOptions& options,
                                       const std::optional<ClusterFacts>& facts) {
  if (!options.settings_file.empty()) {
    WEFT_TRY(const std::string text, read_input_text(console, options.settings_file));
    return inject::Settings::parse(text, options.settings_file);
  }
  if (!facts || facts->injector_settings.empty()) return inject::Settings();
  return inject::Settings::parse(facts->injector_settings,
                                 "ConfigMap weft-system/weft-injector of " + facts->origin);
}

/// A sidecar of the form asked for, else the best that the cluster knows. Who asks for the classic form of an
/// unknown cluster has an old one, perhaps too old for preStop sleep.
void choose_form(inject::Settings& settings, KubeInjectOptions::Form form,
                 const std::optional<ClusterFacts>& facts) {
  using enum KubeInjectOptions::Form;
  if (facts) settings.fit_to_cluster(facts->minor);
  if (form == kByCluster) return;
  settings.native = form == kNative;
  settings.cluster_has_native = settings.cluster_has_native || settings.native;
  if (!facts && form == kClassic) settings.pre_stop_sleep = false;
}

Result<inject::ManifestOptions> manifest_options(Console& console, const GlobalOptions& global,
                                                 const KubeInjectOptions& options, const AskCluster& ask) {
  inject::ManifestOptions made;
  const std::optional<ClusterFacts> facts = facts_of(console, options, ask);
  WEFT_TRY(made.settings, read_settings(console, options, facts));
  if (!options.image.empty()) made.settings.image = options.image;
  choose_form(made.settings, options.form, facts);
  made.default_namespace = global.ns;
  made.keep_api_versions = options.keep_api_versions;
  return made;
}

Result<void> write_file(const std::string& name, const std::string& text) {
  errno = 0;
  std::ofstream file(name, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return fail(Error::config(Code::kDenied, name + ": cannot be written: " + errno_text(errno)));
  return {};
}

}  // namespace

CommandResult kube_inject(Console& console, const GlobalOptions& global, const KubeInjectOptions& options,
                          const AskCluster& ask) {
  WEFT_TRY(const inject::ManifestOptions manifest, manifest_options(console, global, options, ask));
  WEFT_TRY(const std::string text, read_input_text(console, options.file));
  const std::string name = options.file == "-" ? "standard input" : options.file;
  WEFT_TRY(const inject::Manifest made, inject::inject_manifest(text, name, manifest));
  for (const std::string& note : made.notes) console.err(note + "\n");
  if (options.output.empty())
    console.out_value(made.text);
  else
    WEFT_CHECK(write_file(options.output, made.text));
  return Exit::kDone;
}

}  // namespace weft::cli

#pragma once

#include <string>

#include "cli/console.h"
#include "cli/mesh_api.h"
#include "cli/options.h"
#include "cli/state_directory.h"
#include "net/loop.h"
#include "store/store.h"

namespace weft::cli {

/// What a command that speaks with an instance works with. Everything outlives the command.
struct Context {
  Console& console;
  net::Loop& loop;
  store::Store& store;
  MeshApi& mesh;
  const GlobalOptions& global;
  const StateDirectory& state;
  /// The same objects, with writes that are checked as any other and not kept; null: there is none.
  store::Store* dry_run = nullptr;

  void out(std::string_view text) const { console.out(text); }
  void note(std::string_view text) const { console.err(text); }
};

/// "Error from server (NotFound): pods "x" not found", as kubectl says it; `error` is kNotFound.
Error not_found(const api::Key& key);
/// The singular with its group, "deployment.apps".
std::string singular_with_group(const api::KindInfo& kind);

/// Says after a second of waiting what is waited for, on standard error: once for a file or pipe, drawn again
/// and removed at the end for a person. Owner: the waiting function.
class Progress {
 public:
  Progress(const Context& context, std::string text);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();
  /// What is waited for now. Shown at once when it is already being shown.
  void say(std::string text);

 private:
  void show();
  const Context& context_;
  std::string text_;
  bool shown_ = false;
  net::Timer timer_;
};

}  // namespace weft::cli

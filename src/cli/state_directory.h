#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::cli {

/// Where an instance keeps its things; docs/architecture.md lists them. A value; any thread.
class StateDirectory {
 public:
  /// `$WEFT_STATE_DIR/<instance>`, else `$XDG_STATE_HOME/weft/<instance>`, else
  /// `$HOME/.local/state/weft/<instance>`; empty variables count as absent. Errors: kInvalid when the
  /// instance's name is not letters, digits, '-' and '_' (at most 40, beginning with a letter or digit), or
  /// no variable names a place.
  static Result<StateDirectory> resolve(std::string_view instance);

  const std::string& path() const { return path_; }
  std::string api_socket() const { return path_ + "/api.sock"; }
  std::string log_file(std::string_view ns, std::string_view pod, std::string_view container) const;
  std::string pod_directory(std::string_view ns, std::string_view pod) const;
  /// The process that `weft up` left running, from supervisor.json; 0 when there is none or it has ended.
  int supervisor() const;

 private:
  explicit StateDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace weft::cli

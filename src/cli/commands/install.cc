#include "install/manifest.h"

#include <fstream>

#include "cli/command.h"

namespace weft::cli {

CommandResult install(Console& console, const InstallOptions& options) {
  const Result<install::Plan> plan = install::Plan::read(options.profile, options.sets);
  if (!plan) return misuse(console, plan.error());
  const std::string text = install::manifest(*plan);
  if (options.output.empty()) {
    console.out_value(text);
    return Exit::kDone;
  }
  errno = 0;
  std::ofstream file(options.output, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush())
    return fail(Error::config(Code::kDenied, options.output + ": cannot be written: " + errno_text(errno)));
  return Exit::kDone;
}

}  // namespace weft::cli

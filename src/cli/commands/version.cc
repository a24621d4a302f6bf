#include "cli/command.h"
#include "cli/output.h"

namespace weft::cli {

CommandResult version(Console& console, const VersionOptions& options) {
  const api::Json value = {{"version", WEFT_VERSION}, {"compiler", "clang " __clang_version__}};
  if (prints_values(options.output)) {
    WEFT_TRY(const std::string text, print_value(value, options.output));
    console.out_value(text);
  } else {
    console.out("weft " WEFT_VERSION "\n");
  }
  return Exit::kDone;
}

}  // namespace weft::cli

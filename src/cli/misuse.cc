#include "cli/command.h"

namespace weft::cli {

Exit misuse(Console& console, const Error& error) {
  console.err("weft: " + error.text + "\nSee 'weft --help' and 'weft COMMAND --help'.\n");
  return Exit::kUsage;
}

}  // namespace weft::cli

#include "app/down.h"

#include <filesystem>

#include "cli/command.h"
#include "cli/instance.h"

namespace weft::cli {

CommandResult down(Console& console, const GlobalOptions& global, const DownOptions& options) {
  WEFT_TRY(const StateDirectory state, StateDirectory::resolve(global.instance));
  const std::string others = running_instances(state);
  WEFT_TRY(const bool was_running, app::stop_instance(state.path()));
  if (was_running)
    console.out("Instance \"" + global.instance + "\" has ended.\n");
  else
    console.out("No mesh is running as instance \"" + global.instance + "\"" +
                (others.empty() ? "" : "; " + others) + ".\n");
  std::error_code error;
  if (!options.purge) {
    if (was_running)
      console.out("Its objects stay in " + state.path() + "; 'weft down" + name_option(global.instance) +
                  " --purge' removes them.\n");
    return Exit::kDone;
  }
  const bool present = std::filesystem::exists(state.path(), error);
  std::filesystem::remove_all(state.path(), error);
  if (error) return fail(Error::internal(Code::kInternal, state.path() + ": " + error.message()));
  if (present) console.out("Its objects and logs in " + state.path() + " are removed.\n");
  return Exit::kDone;
}

}  // namespace weft::cli

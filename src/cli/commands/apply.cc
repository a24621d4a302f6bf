#include <vector>

#include "cli/apply_objects.h"
#include "cli/command.h"
#include "cli/remarks.h"
#include "cli/wait_applied.h"

namespace weft::cli {

net::Task<CommandResult> apply(const Context& context, const ApplyOptions& options) {
  const InputOptions from{options.files, options.recursive, context.global.ns, options.kustomization};
  WEFT_CO_TRY(const std::vector<InputObject> inputs, read_input_objects(context.console, from));
  WEFT_CO_TRY(const Applied done, co_await apply_objects(context, inputs, options.dry_run, false));
  Exit confirmed = Exit::kDone;
  if (options.wait && done.version > 0) {
    WEFT_CO_TRY(confirmed, co_await wait_until_applied(context, done.version, options.timeout, done.since));
    co_await warn_of_remarks(context, inputs);
  }
  co_return done.failed ? Exit::kFailed : confirmed;
}

}  // namespace weft::cli

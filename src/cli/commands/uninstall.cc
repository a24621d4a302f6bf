#include "install/uninstall.h"

#include "base/strings.h"
#include "cli/cluster.h"
#include "cli/command.h"
#include "cli/run.h"
#include "install/manifest.h"

namespace weft::cli {
namespace {

void list(Console& console, const std::vector<install::Removal>& all) {
  for (const install::Removal& each : all) console.out(each.text + "\n");
}

/// Asks the person at the terminal; without one the command line decides.
Result<bool> agreed(Console& console, const UninstallOptions& options) {
  if (options.yes || !console.input_interactive()) return true;
  console.err("Delete all of this? [y/N] ");
  WEFT_TRY(const std::string line, console.read_line());
  const std::string reply = to_lower(trim(line));
  return reply == "y" || reply == "yes";
}

}  // namespace

net::Task<CommandResult> uninstall_from(Console& console, net::Loop& loop, store::RawApi& api,
                                        const UninstallOptions& options) {
  bool working = false;
  install::Uninstall uninstall(loop, api, [&console, &working](const std::string& line) {
    working ? console.out(line + "\n") : console.err(line + "\n");
  });
  WEFT_CO_TRY(std::vector<install::Removal> all, co_await uninstall.find());
  if (all.empty()) {
    console.err("There is nothing of weft in this cluster.\n");
    co_return Exit::kDone;
  }
  const bool asks = !options.yes && console.input_interactive();
  if (options.dry_run != DryRun::kNone || asks) list(console, all);
  if (options.dry_run == DryRun::kClient) co_return Exit::kDone;
  if (options.dry_run == DryRun::kServer) {
    const std::vector<install::Removal> kept = co_await uninstall.rehearse(std::move(all));
    for (const install::Removal& each : kept) console.err(each.text + " would stay: " + each.reason + "\n");
    co_return kept.empty() ? Exit::kDone : Exit::kFailed;
  }
  WEFT_CO_TRY(const bool go_on, agreed(console, options));
  if (!go_on) {
    console.err("Nothing was deleted.\n");
    co_return Exit::kFailed;
  }
  working = true;
  const std::vector<install::Removal> stayed = co_await uninstall.remove(std::move(all), options.timeout);
  for (const install::Removal& each : stayed)
    console.err(each.text + " has stayed: " +
                (each.reason.empty() ? "it is still going; see its finalizers, or wait and say it again"
                                     : each.reason) +
                "\n");
  co_return stayed.empty() ? Exit::kDone : Exit::kFailed;
}

CommandResult uninstall(Console& console, const UninstallOptions& options) {
  if (options.print) {
    const Result<install::Plan> plan = install::Plan::read(options.profile, {});
    if (!plan) return misuse(console, plan.error());
    console.out_value(install::removal_manifest(*plan));
    return Exit::kDone;
  }
  net::Loop loop;
  WEFT_TRY(const auto cluster, open_cluster(loop, options.cluster));
  return run(loop, uninstall_from(console, loop, *cluster, options));
}

}  // namespace weft::cli

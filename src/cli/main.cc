#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "app/capture_main.h"
#include "app/control_main.h"
#include "app/proxy_main.h"
#include "app/supervise.h"
#include "app/up.h"
#include "base/standard_descriptors.h"
#include "cli/ask_cluster.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/instance.h"
#include "cli/on_a_cluster.h"
#include "cli/run.h"
#include "cli/standard_output.h"
#include "store/remote_store.h"

namespace weft::cli {
namespace {

constexpr Duration kForEver = std::chrono::hours(24 * 365);

/// Each command of a running instance as its task.
struct Start {
  const Context& context;
  net::Task<CommandResult> operator()(const ApplyOptions& o) const { return apply(context, o); }
  net::Task<CommandResult> operator()(const DeleteOptions& o) const { return remove(context, o); }
  net::Task<CommandResult> operator()(const GetOptions& o) const { return get(context, o); }
  net::Task<CommandResult> operator()(const DescribeOptions& o) const { return describe(context, o); }
  net::Task<CommandResult> operator()(const LogsOptions& o) const { return logs(context, o); }
  net::Task<CommandResult> operator()(const ScaleOptions& o) const { return scale(context, o); }
  net::Task<CommandResult> operator()(const ProxyStatusOptions& o) const { return proxy_status(context, o); }
  net::Task<CommandResult> operator()(const ProxyConfigOptions& o) const { return proxy_config(context, o); }
  /// The rest is served before a connection is made.
  net::Task<CommandResult> operator()(const auto&) const { co_return Exit::kDone; }
};

/// istioctl's proxy-config has a --name of its own. What names no instance of ours is a route's name.
void sort_out_names(Invocation& invocation) {
  auto* options = std::get_if<ProxyConfigOptions>(&invocation.command);
  if (options == nullptr) return;
  std::vector<std::string> routes;
  for (std::string& name : options->names) {
    const auto state = StateDirectory::resolve(name);
    std::error_code ignored;
    if (state && std::filesystem::exists(state->path(), ignored))
      invocation.global.instance = std::move(name);
    else
      routes.push_back(std::move(name));
  }
  options->names = std::move(routes);
}

/// A control plane that does not respond is reported as such; what waits for something else has its own
/// message.
CommandResult explained(CommandResult result, const GlobalOptions& global) {
  if (result || result.error().code != Code::kTimeout ||
      result.error().text.find(store::kNoResponse) == std::string::npos)
    return result;
  result.error().text += "\nThe control plane of instance \"" + global.instance +
                         "\" has not responded within " + std::to_string(global.request_timeout.count()) +
                         " s (--request-timeout): it is overloaded or stopped; logs/control.log in the "
                         "instance's folder says more";
  return result;
}

/// Commands that speak with a running instance.
CommandResult run_remotely(Console& console, Invocation& invocation) {
  sort_out_names(invocation);
  // A command that waits five seconds for all of it does not wait ten for the first response.
  auto& timeout = invocation.global.request_timeout;
  if (const auto* options = std::get_if<ApplyOptions>(&invocation.command);
      options && options->wait && options->timeout.count() > 0 && timeout.count() > 0)
    timeout = std::min(timeout, options->timeout);
  WEFT_TRY(const StateDirectory state, StateDirectory::resolve(invocation.global.instance));
  const Result<net::Address> api = reach_instance(state, invocation.global.instance);
  if (!api) {
    console.err(api.error().text + "\n");
    const bool runs_here = state.supervisor() != 0 || api.error().code == Code::kDenied;
    if (!runs_here) console.err(on_a_cluster(invocation.command) + "\n");
    return Exit::kFailed;
  }
  net::Loop loop;
  store::RemoteStore store(loop, *api);
  store.set_timeout(
      invocation.global.request_timeout.count() > 0 ? Duration(invocation.global.request_timeout) : kForEver);
  RemoteMeshApi mesh(loop, *api);
  store::RemoteStore dry_run = store;
  dry_run.set_dry_run();
  const Context context{console, loop, store, mesh, invocation.global, state, &dry_run};
  return explained(run(loop, std::visit(Start{context}, invocation.command)), invocation.global);
}

CommandResult run_command(Console& console, Invocation& invocation) {
  if (const auto* help = std::get_if<HelpOptions>(&invocation.command)) {
    console.out(help->text);
    return Exit::kDone;
  }
  if (const auto* options = std::get_if<VersionOptions>(&invocation.command))
    return version(console, *options);
  if (const auto* options = std::get_if<KubeInjectOptions>(&invocation.command))
    return kube_inject(console, invocation.global, *options, ask_current_cluster);
  if (const auto* options = std::get_if<InstallOptions>(&invocation.command))
    return install(console, *options);
  if (const auto* options = std::get_if<UninstallOptions>(&invocation.command))
    return uninstall(console, *options);
  if (const auto* options = std::get_if<CheckOptions>(&invocation.command)) return check(console, *options);
  if (const auto* options = std::get_if<UpOptions>(&invocation.command))
    return up(console, invocation.global, *options);
  if (const auto* options = std::get_if<DownOptions>(&invocation.command))
    return down(console, invocation.global, *options);
  return run_remotely(console, invocation);
}

int main(int argc, char** argv) {
  open_standard_descriptors();
  // The parts read their own arguments: they are started by the supervisor, or by tests, with their own
  // options.
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "capture") return app::capture_main(argc - 1, argv + 1);
  if (first == "control") return app::control_main(argc - 1, argv + 1);
  if (first == "proxy") return app::proxy_main(argc - 1, argv + 1);
  if (first == "supervise") return app::supervise_main(argc - 1, argv + 1);

  const std::unique_ptr<Console> console = make_process_console();
  const char* instance = std::getenv("WEFT_INSTANCE");
  auto invocation = parse_command_line(std::vector<std::string>(argv + 1, argv + argc),
                                       instance != nullptr && *instance != '\0' ? instance : "default");
  if (!invocation) {
    console->err(invocation.error().text + "\n");
    return static_cast<int>(Exit::kUsage);
  }
  const CommandResult result = run_command(*console, *invocation);
  if (!result) console->err(result.error().text + "\n");
  Exit exit = result ? *result : Exit::kFailed;
  if (const auto written = close_standard_output(); !written) {
    // A command that follows something has ended with this error itself.
    const bool told = !result && result.error().text == written.error().text;
    if (!told) console->err(written.error().text + "\n");
    if (exit == Exit::kDone) exit = Exit::kFailed;
  }
  return static_cast<int>(exit);
}

}  // namespace
}  // namespace weft::cli

int main(int argc, char** argv) { return weft::cli::main(argc, argv); }

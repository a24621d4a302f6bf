#pragma once

#include <string>

#include "base/error.h"
#include "cli/cluster_facts.h"
#include "cli/context.h"
#include "cli/options.h"
#include "net/task.h"
#include "store/kubernetes/raw_api.h"

namespace weft::cli {

/// The program's exit code.
enum class Exit : int { kDone = 0, kFailed = 1, kUsage = 2 };

/// What a command's task ends with: an exit code when it has said everything itself, else the error to print.
using CommandResult = Result<Exit>;

/// Says what is wrong with the arguments of the command line, for what parse_command_line could not see.
Exit misuse(Console& console, const Error& error);

// One function per command, each in commands/<name>.cc. The context and the options outlive the task.
net::Task<CommandResult> apply(const Context& context, const ApplyOptions& options);
net::Task<CommandResult> get(const Context& context, const GetOptions& options);
net::Task<CommandResult> remove(const Context& context, const DeleteOptions& options);
net::Task<CommandResult> describe(const Context& context, const DescribeOptions& options);
net::Task<CommandResult> logs(const Context& context, const LogsOptions& options);
net::Task<CommandResult> scale(const Context& context, const ScaleOptions& options);
net::Task<CommandResult> proxy_status(const Context& context, const ProxyStatusOptions& options);
net::Task<CommandResult> proxy_config(const Context& context, const ProxyConfigOptions& options);

// What is said to a cluster; `api` is its API server.
net::Task<CommandResult> uninstall_from(Console& console, net::Loop& loop, store::RawApi& api,
                                        const UninstallOptions& options);
net::Task<CommandResult> check_cluster(Console& console, store::RawApi& api, const CheckOptions& options);

// These need no running instance.
CommandResult version(Console& console, const VersionOptions& options);
/// `ask` empty: as if there were no cluster.
CommandResult kube_inject(Console& console, const GlobalOptions& global, const KubeInjectOptions& options,
                          const AskCluster& ask);
CommandResult install(Console& console, const InstallOptions& options);
CommandResult uninstall(Console& console, const UninstallOptions& options);
CommandResult check(Console& console, const CheckOptions& options);
CommandResult up(Console& console, const GlobalOptions& global, const UpOptions& options);
CommandResult down(Console& console, const GlobalOptions& global, const DownOptions& options);

}  // namespace weft::cli

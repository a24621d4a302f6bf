#include "app/control_kubernetes.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "app/cluster_control.h"
#include "base/log.h"
#include "base/random.h"
#include "net/signal_watch.h"
#include "store/kubernetes/kubernetes_store.h"
#include "store/kubernetes/lease.h"

namespace weft::app {
namespace {

struct Options {
  std::string kubeconfig;
  log::Level level = log::Level::kInfo;
  ClusterControlOptions control;
};

/// Differs for every process: a pod that is restarted does not take its predecessor's lead for its own.
std::string make_identity() {
  const char* pod = std::getenv("POD_NAME");
  char host[256] = "weft-control";
  if (!pod) (void)gethostname(host, sizeof host - 1);
  Random random;
  return std::string(pod ? pod : host) + "_" + std::to_string(random.next());
}

/// Everything the process runs, in the order in which the parts stand on each other.
class Program {
 public:
  explicit Program(net::Loop& loop) : loop_(loop) {}

  Result<void> open(const Options& options) {
    store::AccessOptions access_options;
    access_options.kubeconfig = options.kubeconfig;
    WEFT_TRY(store::ClusterAccess access, store::find_cluster_access(access_options));
    WEFT_LOG(kInfo, "control", "using a cluster's API server", {"server", access.authority()},
             {"as", access.origin});
    WEFT_TRY(store_, store::KubernetesStore::open(loop_, std::move(access)));
    control_ = std::make_unique<ClusterControl>(loop_, *store_, *store_, options.control);
    control_->on_failure([this](const Error&) {
      failed_ = true;
      loop_.stop();
    });
    store::LeaseOptions lease{
        .ns = options.control.ns, .name = "weft-control-leader", .identity = make_identity()};
    lease_ = std::make_unique<store::Lease>(loop_, *store_, std::move(lease), [this](bool leads) {
      WEFT_LOG(kInfo, "control", leads ? "this replica leads" : "this replica leads no more");
      control_->controllers().leadership_changed();
    });
    control_->controllers().follow([this] { return lease_->leads(); });
    lease_->start();
    return control_->start();
  }

  void end() {
    if (ending_) return loop_.stop();
    ending_ = true;
    tasks_.spawn(leave());
  }
  bool failed() const { return failed_; }

 private:
  net::Task<void> leave() {
    if (lease_) co_await lease_->release();
    loop_.stop();
  }

  net::Loop& loop_;
  bool failed_ = false, ending_ = false;
  std::unique_ptr<store::KubernetesStore> store_;
  std::unique_ptr<store::Lease> lease_;
  std::unique_ptr<ClusterControl> control_;
  net::TaskScope tasks_;
};

struct AddressFlag {
  const char* flag;
  std::string text;
  net::Address ClusterControlOptions::* into;
};

Result<void> read_addresses(std::vector<AddressFlag>& flags, ClusterControlOptions& options) {
  for (AddressFlag& each : flags) {
    auto address = net::Address::parse_ip_port(each.text);
    if (!address) return fail(std::move(address).error().with_context(each.flag));
    options.*each.into = *address;
  }
  return {};
}

/// Nothing: go on. Otherwise the exit code.
std::optional<int> parse(int argc, char** argv, Options& options) {
  CLI::App command("The control plane of a Kubernetes cluster.", "weft control --kubernetes");
  std::string level = "info";
  std::vector<AddressFlag> addresses = {
      {"--xds-address", "0.0.0.0:15012", &ClusterControlOptions::xds},
      {"--webhook-address", "0.0.0.0:15017", &ClusterControlOptions::webhooks},
      {"--monitoring-address", "0.0.0.0:15014", &ClusterControlOptions::monitoring},
      {"--mesh-api-address", "127.0.0.1:15019", &ClusterControlOptions::mesh_api}};
  bool kubernetes = true;  // that is why we are here
  command.add_flag("--kubernetes", kubernetes, "the cluster's API server is the store");
  command.add_option("--kubeconfig", options.kubeconfig, "how to reach the API server, outside of a pod");
  command.add_option("--namespace", options.control.ns, "where the control plane's own objects are");
  for (AddressFlag& each : addresses)
    command.add_option(each.flag, each.text, "IP:PORT, " + each.text + " unless given");
  command.add_option("--log-level", level, "trace, debug, info, warning, error or off");
  try {
    command.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? 0 : 2;
  }
  std::string problem;
  if (auto read = read_addresses(addresses, options.control); !read) problem = read.error().text;
  if (!log::parse_level(level, options.level))
    problem = "--log-level " + level + ": trace, debug, info, warning, error or off";
  if (problem.empty()) return std::nullopt;
  std::fprintf(stderr, "weft control: %s\n", problem.c_str());
  return 2;
}

}  // namespace

int control_kubernetes_main(int argc, char** argv) {
  Options options;
  if (auto code = parse(argc, argv, options)) return *code;
  log::set_level(options.level);
  net::Loop loop;
  Program program(loop);
  net::SignalWatch signals(loop, [&program](int) { program.end(); });
  // A writer to a peer that has gone gets an error, not the end of the program.
  std::signal(SIGPIPE, SIG_IGN);
  auto started = signals.start({SIGTERM, SIGINT});
  if (started) started = program.open(options);
  if (!started) {
    std::fprintf(stderr, "weft control: %s\n", started.error().text.c_str());
    return 1;
  }
  loop.run();
  WEFT_LOG(kInfo, "control", "ending");
  return program.failed() ? 1 : 0;
}

}  // namespace weft::app

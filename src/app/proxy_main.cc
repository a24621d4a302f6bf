#include "app/proxy_main.h"

#include <malloc.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <thread>

#include "base/log.h"
#include "base/standard_descriptors.h"
#include "net/signal_watch.h"
#include "pod/pod_main.h"
#include "xds/bootstrap.h"
#include "xds/configured_proxy.h"

namespace weft::app {
namespace {

struct Options {
  std::string config_path, config_text, mode = "serve", level = "warning";
  unsigned concurrency = 0;
  std::uint32_t socket_mark = 0;
  int drain_seconds = 5;
  int tcp_drain_seconds = 45;
  std::vector<std::string> inherited;
  xds::NodeOverrides node;
};

/// "ADDR:PORT=FD".
Result<proxy::InheritedListener> parse_inherited(const std::string& text) {
  const auto equals = text.rfind('=');
  int fd = -1;
  if (equals != std::string::npos) std::from_chars(text.data() + equals + 1, text.data() + text.size(), fd);
  auto address = net::Address::parse_ip_port(text.substr(0, equals));
  if (fd < 0 || !address)
    return fail(
        Error::config(Code::kInvalid, "--inherit-listener " + text + ": ADDRESS:PORT=DESCRIPTOR is needed"));
  return proxy::InheritedListener{*address, fd};
}

class Program {
 public:
  explicit Program(Options options)
      : options_(std::move(options)),
        signals_(loop_, [this](int) { stop(); }),
        force_(loop_, [this] { loop_.stop(); }) {}

  Result<void> start() {
    WEFT_TRY(xds::Bootstrap bootstrap,
             options_.config_text.empty()
                 ? xds::load_bootstrap(options_.config_path, options_.node)
                 : xds::parse_bootstrap(options_.config_text, "--config-yaml", options_.node));
    if (options_.mode == "validate") return {};
    // HUP and USR1 are what hooks of log rotation send; a file that was moved is noticed without (LogOutput).
    for (const int ignored : {SIGPIPE, SIGHUP, SIGUSR1}) std::signal(ignored, SIG_IGN);
    WEFT_CHECK(signals_.start({SIGTERM, SIGINT}));
    proxy::ServerOptions server;
    server.concurrency =
        options_.concurrency ? options_.concurrency : std::max(1u, std::thread::hardware_concurrency());
    server.limits.socket_mark = options_.socket_mark;
    server.limits.tcp_drain_time = proxy::Milliseconds(options_.tcp_drain_seconds * 1000LL);
    for (const std::string& text : options_.inherited) {
      WEFT_TRY(proxy::InheritedListener inherited, parse_inherited(text));
      server.inherited.push_back(inherited);
    }
    WEFT_TRY(proxy_,
             xds::ConfiguredProxy::start(loop_, std::move(bootstrap), std::move(server), [this] { stop(); }));
    proxy_->apply({.socket_mark = options_.socket_mark}, [this](Result<void> applied) {
      if (applied) return;
      failure_ = applied.error().text;
      loop_.stop();
    });
    return {};
  }

  int run() {
    if (options_.mode == "validate") {
      std::printf("configuration '%s' OK\n", options_.config_path.c_str());
      return std::fflush(stdout) == 0 ? 0 : 1;
    }
    loop_.run();
    proxy_.reset();
    if (!failure_.empty()) std::fprintf(stderr, "weft proxy: %s\n", failure_.c_str());
    return failure_.empty() ? 0 : 1;
  }

 private:
  /// The first signal ends in order, the second at once.
  void stop() {
    if (std::exchange(stopping_, true)) {
      loop_.stop();
      return;
    }
    proxy_->server().drain(proxy::Milliseconds(options_.drain_seconds * 1000), [this] { loop_.stop(); });
  }

  Options options_;
  net::Loop loop_;
  net::SignalWatch signals_;
  net::Timer force_;
  std::unique_ptr<xds::ConfiguredProxy> proxy_;
  std::string failure_;
  bool stopping_ = false;
};

/// Nothing: go on. Otherwise the exit code.
std::optional<int> parse(int argc, char** argv, Options& options) {
  CLI::App command(
      "The sidecar and gateway proxy. It starts from an Envoy bootstrap (YAML or JSON), static or by ADS.",
      "weft proxy");
  auto* path = command.add_option("-c,--config-path", options.config_path, "bootstrap file");
  command.add_option("--config-yaml", options.config_text, "the bootstrap itself")->excludes(path);
  command.add_option("--concurrency", options.concurrency,
                     "worker threads (default: one for each processor)");
  command.add_option("--socket-mark", options.socket_mark,
                     "SO_MARK of upstream sockets, by which capture rules know them");
  command.add_option("--inherit-listener", options.inherited,
                     "ADDRESS:PORT=DESCRIPTOR: a listening socket made by the parent");
  command.add_option("-l,--log-level", options.level, "trace, debug, info, warning, error or off");
  command.add_option("--drain-time-s", options.drain_seconds, "how long SIGTERM waits for open requests");
  command
      .add_option(
          "--tcp-drain-time-s", options.tcp_drain_seconds,
          "how long a TCP connection may go on whose listener or filter chain is removed (default: 45)")
      ->check(CLI::Range(0, 86400));
  command.add_option("--mode", options.mode, "serve, or validate: read the bootstrap and leave")
      ->check(CLI::IsMember({"serve", "validate"}));
  command.add_option("--service-node", options.node.id, "instead of node.id");
  command.add_option("--service-cluster", options.node.cluster, "instead of node.cluster");
  command.footer("In a pod of Kubernetes: weft proxy sidecar, router, wait or drain; each has --help.");
  command.set_version_flag("--version", "weft proxy 0.1.0");
  try {
    command.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? 0 : 2;
  }
  log::Level level{};
  if (options.config_path.empty() && options.config_text.empty()) {
    std::fprintf(stderr, "weft proxy: -c FILE is needed; see --help\n");
    return 2;
  }
  if (!log::parse_level(options.level, level)) {
    std::fprintf(stderr,
                 "weft proxy: --log-level %s: one of trace, debug, info, warning, error, off is needed\n",
                 options.level.c_str());
    return 2;
  }
  log::set_level(level);
  return std::nullopt;
}

}  // namespace

int proxy_main(int argc, char** argv) {
  open_standard_descriptors();
  if (const auto code = pod::pod_main(argc, argv)) return *code;
  Options options;
  if (const auto code = parse(argc, argv, options)) return *code;
  // What a whole configuration needs while it is read goes back to the kernel. By default the threshold grows
  // with the first such block, and stays.
  ::mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  Program program(std::move(options));
  if (const Result<void> started = program.start(); !started) {
    std::fprintf(stderr, "weft proxy: %s\n", started.error().text.c_str());
    return 1;
  }
  return program.run();
}

}  // namespace weft::app

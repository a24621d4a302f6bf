#include "pod/pod_main.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "base/log.h"
#include "net/signal_watch.h"
#include "pod/commands.h"
#include "pod/program.h"

namespace weft::pod {
namespace {

constexpr int kMaxWait = 3600;

int fail_with(const char* command, const std::string& text, int code = 1) {
  std::fprintf(stderr, "weft proxy %s: %s\n", command, text.c_str());
  return code;
}

/// Nothing: go on. Otherwise the exit code.
std::optional<int> parse(CLI::App& command, int argc, char** argv) {
  try {
    command.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

void add_port(CLI::App& to, const char* name, std::uint16_t& port, const char* text) {
  to.add_option(name, port, text)->check(CLI::Range(1, 65535).description(""));
}

struct Flags {
  std::string domain, level = "warning";
  std::optional<unsigned> concurrency;
  std::optional<std::uint16_t> status_port;
  Places places;
  Ports ports;
};

void declare(CLI::App& command, Flags& flags) {
  command.add_option("--domain", flags.domain,
                     "the last part of the node id (default: NAMESPACE.svc.cluster.local)");
  command.add_option("-l,--log-level", flags.level, "trace, debug, info, warning, error or off");
  command
      .add_option("--concurrency", flags.concurrency,
                  "worker threads (default: one for each processor of the CPU limit, at most 2)")
      ->check(CLI::Range(1, 256).description(""));
  add_port(command, "--admin-port", flags.ports.admin, "of the admin page on 127.0.0.1 (default: 15000)");
  command.add_option("--status-port", flags.status_port, "of probes and metrics (default: 15020)")
      ->check(CLI::Range(1, 65535).description(""));
  add_port(command, "--health-port", flags.ports.health, "of /healthz/ready (default: 15021)");
  add_port(command, "--metrics-port", flags.ports.metrics, "of /stats/prometheus (default: 15090)");
  command.add_option("--secrets-directory", flags.places.secrets,
                     "where istio/root-cert.pem and tokens/istio-token are (default: /var/run/secrets)");
  command.add_option("--pod-info-directory", flags.places.pod_info,
                     "where the file of labels is (default: /etc/istio/pod)");
}

int serve(const char* mode, const Flags& flags, Environment environment) {
  for (const int ignored : {SIGPIPE, SIGHUP, SIGUSR1}) std::signal(ignored, SIG_IGN);
  net::Loop loop;
  std::unique_ptr<Program> program;
  net::SignalWatch signals(loop, [&](int) {
    if (program) program->terminate();
  });
  if (const auto watched = signals.start({SIGTERM, SIGINT}); !watched)
    return fail_with(mode, watched.error().text);
  Program::Options options{
      .environment = std::move(environment), .places = flags.places, .ports = flags.ports};
  options.concurrency = flags.concurrency;
  options.ports.status = flags.status_port;
  auto started = Program::start(loop, std::move(options), [&loop] { loop.stop(); });
  if (!started) return fail_with(mode, started.error().text);
  program = std::move(*started);
  loop.run();
  const std::string failure = program->failure();
  program.reset();
  return failure.empty() ? 0 : fail_with(mode, failure);
}

int proxy(Role role, int argc, char** argv) {
  const char* const mode = role == Role::kRouter ? "router" : "sidecar";
  CLI::App command(
      role == Role::kRouter
          ? "The gateway of a pod. What it is, the pod's environment says; see docs/life-in-a-pod.md."
          : "The sidecar of a pod. What it is, the pod's environment says; see docs/life-in-a-pod.md.",
      std::string("weft proxy ") + mode);
  Flags flags;
  declare(command, flags);
  if (const auto code = parse(command, argc, argv)) return *code;
  log::Level level{};
  if (!log::parse_level(flags.level, level))
    return fail_with(
        mode, "--log-level " + flags.level + ": one of trace, debug, info, warning, error, off is needed", 2);
  log::set_level(level);
  auto environment = Environment::read(role, flags.domain, process_variables());
  if (!environment) return fail_with(mode, environment.error().text);
  return serve(mode, flags, std::move(*environment));
}

int wait(int argc, char** argv) {
  CLI::App command("Waits until the proxy of this pod is ready.", "weft proxy wait");
  std::uint16_t port = 15021;
  int seconds = 60;
  command.add_option("--timeout-seconds", seconds, "how long at most (default: 60)")
      ->check(CLI::Range(1, kMaxWait).description(""));
  add_port(command, "--health-port", port, "where it says so (default: 15021)");
  if (const auto code = parse(command, argc, argv)) return *code;
  const auto ready = wait_until_ready(port, std::chrono::seconds(seconds));
  return ready ? 0 : fail_with("wait", ready.error().text);
}

int drain(int argc, char** argv) {
  CLI::App command("Tells the proxy of this pod that the pod ends: it drains and stays.", "weft proxy drain");
  std::uint16_t port = 15020;
  add_port(command, "--status-port", port, "where it listens (default: 15020)");
  if (const auto code = parse(command, argc, argv)) return *code;
  const auto heard = ask_to_drain(port);
  return heard ? 0 : fail_with("drain", heard.error().text);
}

}  // namespace

std::optional<int> pod_main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "sidecar") return proxy(Role::kSidecar, argc - 1, argv + 1);
  if (mode == "router") return proxy(Role::kRouter, argc - 1, argv + 1);
  if (mode == "wait") return wait(argc - 1, argv + 1);
  if (mode == "drain") return drain(argc - 1, argv + 1);
  return std::nullopt;
}

}  // namespace weft::pod

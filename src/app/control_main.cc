#include "app/control_main.h"

#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "app/control_kubernetes.h"
#include "base/log.h"
#include "control/control_plane.h"
#include "control/identity/registrations.h"
#include "control/translation/object_check.h"
#include "http/grpc/server.h"
#include "http/server.h"
#include "net/signal_watch.h"
#include "store/api_server.h"
#include "store/embedded_store.h"

namespace weft::app {
namespace {

struct Options {
  std::string state_dir;
  int registration_fd = -1;
  log::Level level = log::Level::kInfo;
};

/// Everything the process runs, in the order in which the parts stand on each other.
class Program {
 public:
  explicit Program(net::Loop& loop) : loop_(loop) {}

  Result<void> open(const Options& options) {
    state_dir_ = options.state_dir;
    if (mkdir(state_dir_.c_str(), 0700) != 0 && errno != EEXIST)
      return fail(Error::config(Code::kInvalid, "--state-dir " + state_dir_ + ": " + errno_text(errno)));
    WEFT_TRY(store_, store::EmbeddedStore::open(loop_, state_dir_ + "/store"));
    store_->set_check(control::check_object);
    auto registrations = std::make_unique<control::Registrations>();
    if (options.registration_fd >= 0) {
      WEFT_TRY(registrations, control::Registrations::adopt(loop_, net::Fd(options.registration_fd)));
    }
    plane_ = std::make_unique<control::ControlPlane>(loop_, *store_, std::move(registrations));
    plane_->start();
    tasks_.spawn(serve());
    return {};
  }

  bool failed() const { return failed_; }

 private:
  /// Opens the sockets when there is something to respond with: no client gets a stale response.
  net::Task<void> serve() {
    co_await plane_->ready();
    auto listening = listen();
    if (!listening) {
      WEFT_LOG(kError, "control", "cannot serve", {"error", listening.error().text});
      failed_ = true;
      loop_.stop();
      co_return;
    }
    WEFT_LOG(kInfo, "control", "ready", {"state-dir", state_dir_});
  }

  Result<void> listen() {
    api_ = std::make_unique<store::ApiServer>(loop_, *store_, &store_->dry_run());
    api_->add_route("/weft/v1/",
                    [this](http::ServerExchange& exchange) { return plane_->serve_mesh_api(exchange); });
    WEFT_TRY(net::Address xds_at, net::Address::unix_path(state_dir_ + "/xds.sock"));
    std::map<std::string, http::grpc::Method> methods;
    for (const char* path : {control::AdsServer::kPath, control::AdsServer::kDeltaPath})
      methods[path] = [this](http::grpc::Call call) { return plane_->serve_proxy(std::move(call)); };
    WEFT_TRY(xds_server_, http::grpc::Server::listen(loop_, xds_at, std::move(methods)));
    WEFT_TRY(net::Address api_at, net::Address::unix_path(state_dir_ + "/api.sock"));
    WEFT_TRY(api_server_, http::Server::listen(loop_, api_at, [this](http::ServerExchange& exchange) {
               return api_->handle(exchange);
             }));
    return {};
  }

  net::Loop& loop_;
  std::string state_dir_;
  bool failed_ = false;
  std::unique_ptr<store::EmbeddedStore> store_;
  std::unique_ptr<control::ControlPlane> plane_;
  std::unique_ptr<store::ApiServer> api_;
  std::unique_ptr<http::grpc::Server> xds_server_;
  std::unique_ptr<http::Server> api_server_;
  net::TaskScope tasks_;
};

/// Nothing: go on. Otherwise the exit code.
std::optional<int> parse(int argc, char** argv, Options& options) {
  CLI::App command("The control plane: the API, the controllers, and the configuration of every sidecar.",
                   "weft control");
  std::string level = "info";
  command.add_option("--state-dir", options.state_dir, "where store/, api.sock and xds.sock are")->required();
  command.add_option("--registration-fd", options.registration_fd, "inherited socket of the supervisor");
  bool kubernetes = false;
  command.add_flag("--kubernetes", kubernetes,
                   "on a cluster instead; see 'weft control --kubernetes --help'");
  command.add_option("--log-level", level, "trace, debug, info, warning, error or off");
  try {
    command.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? 0 : 2;
  }
  if (log::parse_level(level, options.level)) return std::nullopt;
  std::fprintf(stderr, "weft control: --log-level %s: trace, debug, info, warning, error or off\n",
               level.c_str());
  return 2;
}

}  // namespace

int control_main(int argc, char** argv) {
  if (std::ranges::find(argv + 1, argv + argc, std::string_view("--kubernetes")) != argv + argc)
    return control_kubernetes_main(argc, argv);
  Options options;
  if (auto code = parse(argc, argv, options)) return *code;
  log::set_level(options.level);
  net::Loop loop;
  net::SignalWatch signals(loop, [&loop](int) { loop.stop(); });
  Program program(loop);
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

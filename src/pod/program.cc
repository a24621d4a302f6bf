#include "pod/program.h"

#include <thread>

#include "base/log.h"
#include "pod/bootstrap.h"
#include "pod/name_servers.h"
#include "pod/pod_info.h"

namespace weft::pod {
namespace {

std::map<std::string, std::string> labels_in(const std::string& folder) {
  const Result<std::string> text = read_file(folder + "/labels");
  if (text) return parse_pod_info(*text);
  WEFT_LOG(kWarn, "proxy", "the pod's labels are not known", {"reason", text.error().text});
  return {};
}

}  // namespace

Result<std::unique_ptr<Program>> Program::start(net::Loop& loop, Options options,
                                                std::function<void()> on_exit) {
  std::unique_ptr<Program> made(new Program(loop, std::move(options)));
  WEFT_CHECK(made->open(std::move(on_exit)));
  return made;
}

Program::~Program() = default;

Result<void> Program::open(std::function<void()> on_exit) {
  const Environment& environment = options_.environment;
  for (const std::string& field : environment.proxy_config.ignored)
    WEFT_LOG(kWarn, "proxy", "PROXY_CONFIG has a field that is not supported and has no effect",
             {"field", field});
  WEFT_TRY(xds::Bootstrap bootstrap,
           make_bootstrap(environment, labels_in(options_.places.pod_info), options_.ports.admin));
  WEFT_TRY(proxy_, xds::ConfiguredProxy::start(loop_, std::move(bootstrap), server_options(),
                                               [this] { drain_manager_->exit_at_once(); }));
  DrainManager::Options drain;
  drain.drain_scope =
      environment.role == Role::kRouter ? proxy::DrainScope::kAll : proxy::DrainScope::kInbound;
  drain.minimum = environment.proxy_config.termination_drain;
  drain.limit = environment.proxy_config.drain;
  drain.wait_for_connections = environment.wait_for_connections;
  drain_manager_ = std::make_unique<DrainManager>(loop_, proxy_->server(), drain, on_exit);
  WEFT_CHECK(serve_names());
  WEFT_CHECK(serve_pages());
  start_asking(std::move(on_exit));
  return {};
}

proxy::ServerOptions Program::server_options() const {
  const Result<std::string> limit = read_file(options_.places.cgroup + "/cpu.max");
  proxy::ServerOptions server;
  server.concurrency = worker_count(
      options_.concurrency ? options_.concurrency : options_.environment.proxy_config.concurrency,
      limit ? cpu_limit(*limit) : std::nullopt, std::thread::hardware_concurrency());
  server.limits.tcp_drain_time =
      std::chrono::duration_cast<proxy::Milliseconds>(options_.environment.proxy_config.drain);
  return server;
}

Result<void> Program::serve_pages() {
  const Environment& environment = options_.environment;
  WEFT_TRY(ApplicationProbes probes, ApplicationProbes::parse(environment.probes, environment.ip));
  WEFT_TRY(auto metrics, ApplicationMetrics::parse(environment.metrics, environment.ip));
  StatusServer::Hooks hooks;
  hooks.not_ready = [this] { return not_ready(); };
  hooks.metrics = [this](std::function<void(std::string)> done) {
    proxy_->server().collect_stats(true, std::move(done));
  };
  hooks.drain = [this] { drain_manager_->drain(); };
  hooks.quit = [this] { drain_manager_->exit_at_once(); };
  pages_ = std::make_unique<StatusServer>(loop_, std::move(hooks), std::move(probes), std::move(metrics));
  // An IPv6 socket of all addresses takes IPv4 too.
  WEFT_TRY(const net::Address all, net::Address::parse_ip(environment.ip.is_v4() ? "0.0.0.0" : "::", 0));
  const std::uint16_t status = options_.ports.status.value_or(environment.proxy_config.status_port);
  const bool has_status = environment.proxy_config.status_port != 0;
  using Pages = StatusServer::Pages;
  if (has_status) {
    WEFT_TRY(status_address_, pages_->listen(all.with_port(status), Pages::kAll));
  }
  WEFT_TRY(health_address_, pages_->listen(all.with_port(options_.ports.health), Pages::kHealth));
  WEFT_TRY(metrics_address_, pages_->listen(all.with_port(options_.ports.metrics), Pages::kMetrics));
  return {};
}

/// The servers are those whose questions `weft capture` turns here: it reads the same file.
Result<void> Program::serve_names() {
  if (!options_.environment.capture_dns) return {};
  DnsProxy::Options names;
  if (const Result<std::string> text = read_file(options_.places.resolver))
    names.servers = name_servers(*text);
  if (names.servers.empty())
    WEFT_LOG(kWarn, "dns", "there is no name server to ask", {"file", options_.places.resolver});
  std::vector<std::string> at = {"127.0.0.1"};
  // The rules are made for IPv6 when the pod's address is one.
  if (!options_.environment.ip.is_v4()) at.emplace_back("::1");
  for (const std::string& each : at) {
    WEFT_TRY(names.at, net::Address::parse_ip(each, options_.ports.dns));
    WEFT_TRY(auto opened, DnsProxy::open(loop_, names));
    dns_.push_back(std::move(opened));
  }
  return {};
}

void Program::start_asking(std::function<void()> on_exit) {
  ControlLink::Options where;
  where.host = options_.environment.control_host;
  where.port = options_.environment.control_port;
  where.root_file = options_.places.secrets + "/istio/root-cert.pem";
  where.token_file = options_.places.secrets + "/tokens/istio-token";
  where.name_servers = options_.name_servers;
  link_ = std::make_unique<ControlLink>(loop_, std::move(where));
  proxy_->apply({.connect = [this] { return link_->connect(); }},
                [this, on_exit = std::move(on_exit)](Result<void> applied) {
                  if (applied) return;
                  failure_ = applied.error().text;
                  on_exit();
                });
}

std::string Program::not_ready() const {
  if (drain_manager_->begun()) return "the proxy is draining";
  if (proxy_->server().ready()) return {};
  if (link_ && !link_->awaited_file().empty()) return link_->awaited_file() + " is not there yet";
  const std::string missing = proxy_->ads() ? proxy_->ads()->missing() : "the proxy has just started";
  return missing.empty() ? "the proxy is about to be ready" : missing;
}

}  // namespace weft::pod

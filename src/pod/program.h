#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pod/control_link.h"
#include "pod/dns_proxy.h"
#include "pod/drain_manager.h"
#include "pod/environment.h"
#include "pod/status_server.h"
#include "xds/configured_proxy.h"

namespace weft::pod {

/// Where a pod keeps what its proxy reads; other folders are for tests.
struct Places {
  std::string secrets = "/var/run/secrets";  ///< istio/root-cert.pem and tokens/istio-token
  std::string pod_info = "/etc/istio/pod";   ///< labels
  std::string cgroup = "/sys/fs/cgroup";     ///< cpu.max
  std::string resolver = "/etc/resolv.conf";
};

/// 0: one that the kernel chooses, for tests.
struct Ports {
  std::uint16_t admin = 15000, health = 15021, metrics = 15090, dns = 15053;
  std::optional<std::uint16_t> status = {};  ///< nothing: as PROXY_CONFIG says
};

/// The sidecar or gateway of a pod: the data plane, its configuration from the control plane, the pages that
/// the pod's surroundings ask, and its end. No second process stands beside it.
///
/// Owner: pod_main(), or a test. Thread: the main loop. How it ends: terminate(), then `on_exit`; or the
/// destructor, at once.
class Program {
 public:
  struct Options {
    Environment environment;
    Places places = {};
    Ports ports = {};
    std::optional<unsigned> concurrency = {};
    std::string name_servers = {};  ///< see ControlLink
  };
  /// Opens every port and starts to ask the control plane. `on_exit` runs once on the loop when the proxy has
  /// drained, or cannot go on. Errors: a variable, a port; each by its name.
  static Result<std::unique_ptr<Program>> start(net::Loop& loop, Options options,
                                                std::function<void()> on_exit);
  ~Program();

  /// SIGTERM; see DrainManager.
  void terminate() { drain_manager_->terminate(); }
  /// What made it impossible to go on; empty after an orderly end.
  const std::string& failure() const { return failure_; }
  /// Where the pages are.
  net::Address status_address() const { return status_address_; }
  net::Address health_address() const { return health_address_; }
  net::Address metrics_address() const { return metrics_address_; }
  /// Where the pod's name server is, when its questions are captured.
  net::Address dns_address() const { return dns_.empty() ? net::Address() : dns_.front()->udp_address(); }
  proxy::Server& server() { return proxy_->server(); }

 private:
  Program(net::Loop& loop, Options options) : loop_(loop), options_(std::move(options)) {}
  Result<void> open(std::function<void()> on_exit);
  proxy::ServerOptions server_options() const;
  Result<void> serve_pages();
  Result<void> serve_names();
  void start_asking(std::function<void()> on_exit);
  std::string not_ready() const;

  net::Loop& loop_;
  Options options_;
  /// Asked by the control link's connections, so it ends after the proxy.
  std::unique_ptr<ControlLink> link_;
  std::unique_ptr<xds::ConfiguredProxy> proxy_;
  std::unique_ptr<DrainManager> drain_manager_;
  std::vector<std::unique_ptr<DnsProxy>> dns_;
  std::unique_ptr<StatusServer> pages_;
  net::Address status_address_, health_address_, metrics_address_;
  std::string failure_;
};

}  // namespace weft::pod

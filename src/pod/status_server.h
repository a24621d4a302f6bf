#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/server.h"
#include "pod/application_metrics.h"
#include "pod/application_probes.h"

namespace weft::pod {

/// The pages of a proxy that a kubelet, Prometheus and the pod itself ask for: readiness, the application's
/// probes, metrics, and the two requests that end it.
///
/// Owner: the program. Thread: the main loop, never a worker's, so that a busy data plane responds to its
/// probes. How it ends: the destructor closes the ports. Connections, bodies and times are bounded.
class StatusServer {
 public:
  struct Hooks {
    /// Why the proxy is not ready, for people; empty when it is.
    std::function<std::string()> not_ready;
    /// The proxy's own metrics as Prometheus text; they come by the callback.
    std::function<void(std::function<void(std::string)>)> metrics;
    std::function<void()> drain;
    std::function<void()> quit;
  };
  enum class Pages : std::uint8_t {
    kAll,      ///< 15020
    kHealth,   ///< 15021: /healthz/ready
    kMetrics,  ///< 15090: /stats/prometheus, the proxy's own alone
  };

  StatusServer(net::Loop& loop, Hooks hooks, ApplicationProbes probes,
               std::optional<ApplicationMetrics> metrics);
  /// Any number of ports. Error: the address is taken; its text names it.
  Result<net::Address> listen(const net::Address& at, Pages pages);

 private:
  net::Task<void> everything(http::ServerExchange& exchange, const net::Address& peer);
  net::Task<void> health(http::ServerExchange& exchange, const net::Address& peer);
  net::Task<void> own_metrics(http::ServerExchange& exchange, const net::Address& peer);
  net::Task<void> ready(http::ServerExchange& exchange);
  net::Task<void> probe(http::ServerExchange& exchange);
  net::Task<void> metrics(http::ServerExchange& exchange, bool with_application);
  net::Task<void> change(http::ServerExchange& exchange, const net::Address& peer);

  net::Loop& loop_;
  Hooks hooks_;
  ApplicationProbes probes_;
  std::optional<ApplicationMetrics> metrics_;
  std::vector<std::unique_ptr<http::Server>> servers_;
};

}  // namespace weft::pod

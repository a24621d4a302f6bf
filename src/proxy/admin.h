#pragma once

#include <functional>
#include <memory>
#include <string>

#include "http/server.h"
#include "proxy/server.h"

namespace weft::proxy {

/// The pages a person or a tool asks a proxy on its loopback: /ready, /stats, /config_dump and the like, at
/// Envoy's paths and in Envoy's forms.
///
/// Owner: the process's main. Thread: the main loop. How it ends: the destructor closes the port.
class Admin {
 public:
  struct Hooks {
    /// The JSON of /config_dump; `query` is the part behind '?'.
    std::function<std::string(std::string_view query)> config_dump;
    std::function<void()> quit;
  };
  Admin(net::Loop& loop, Server& server, Hooks hooks);
  /// Any number of addresses. Error: the address cannot be listened on.
  Result<void> listen(const net::Address& address);
  /// A second port that only says whether the proxy is ready: "/ready", "/healthz/ready".
  Result<void> listen_for_probes(const net::Address& address);
  /// One request, as listen() hands them in.
  net::Task<void> handle(http::ServerExchange& exchange);

 private:
  net::Task<void> probe(http::ServerExchange& exchange);
  net::Task<void> ready(http::ServerExchange& exchange);
  net::Task<void> stats(http::ServerExchange& exchange, bool prometheus);
  net::Task<void> clusters(http::ServerExchange& exchange);
  net::Task<void> logging(http::ServerExchange& exchange);
  net::Task<void> change(http::ServerExchange& exchange, std::string_view path);
  std::string server_info() const;

  net::Loop& loop_;
  Server& server_;
  Hooks hooks_;
  TimePoint started_;
  bool failing_ = false;
  std::vector<std::unique_ptr<http::Server>> servers_;
};

}  // namespace weft::proxy

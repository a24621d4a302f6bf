#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/client.h"
#include "http/server.h"
#include "proxy/server.h"

namespace weft::proxy::testing {

/// Runs `task` on a real loop until it is done.
template <class T>
T run(net::Loop& loop, net::Task<T> task) {
  std::optional<T> value;
  net::TaskScope scope;
  const auto keep = [](net::Task<T> inner, std::optional<T>& into) -> net::Task<void> {
    into.emplace(co_await inner);
  };
  scope.spawn(keep(std::move(task), value));
  while (!value) loop.run_once(std::chrono::seconds(10));
  return std::move(*value);
}

/// An HTTP server that counts, and answers with its name and what it was asked.
class Upstream {
 public:
  Upstream(net::Loop& loop, std::string name);
  net::Address address() const { return server_->address(); }
  void stop() { server_.reset(); }
  int requests = 0;
  http::RequestHead last;
  std::string last_body;
  /// Answers instead of the usual way when set.
  std::function<net::Task<void>(http::ServerExchange&)> answer;

 private:
  net::Task<void> handle(http::ServerExchange& exchange);
  std::string name_;
  std::unique_ptr<http::Server> server_;
};

ClusterConfig cluster_of(std::string name, std::vector<net::Address> endpoints);
Route route_to(std::string prefix, std::string cluster);
RouteTable table_of(std::vector<Route> routes);

/// A data plane on one loop with the test, with one listener "front" on a port of its own.
class Plane {
 public:
  explicit Plane(unsigned workers = 1);
  ~Plane();
  /// Puts `routes` and `clusters` in force and waits until every worker runs them.
  Result<void> apply(RouteTable routes, std::vector<ClusterConfig> clusters);
  Result<void> apply(Snapshot snapshot);
  http::Response get(std::string path, std::string authority = "test");
  Result<http::Response> fetch(http::Request request);
  std::string stats();
  net::Address front() const { return front_; }

  net::Loop loop;
  std::unique_ptr<Server> server;
  HttpConfig http;  ///< of the listener, taken by the next apply()

 private:
  net::Address front_;
};

}  // namespace weft::proxy::testing

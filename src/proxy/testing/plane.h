#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/client.h"
#include "http/server.h"
#include "proxy/server.h"
#include "proxy/upstream/compiled_clusters.h"

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

/// An HTTP server that counts, and responds with its name and what it was asked.
class Upstream {
 public:
  Upstream(net::Loop& loop, std::string name);
  net::Address address() const { return server_->address(); }
  void stop() { server_.reset(); }
  int requests = 0;
  http::RequestHead last;
  std::string last_body;
  /// Responds instead of the usual way when set.
  std::function<net::Task<void>(http::ServerExchange&)> answer;

 private:
  net::Task<void> handle(http::ServerExchange& exchange);
  std::string name_;
  std::unique_ptr<http::Server> server_;
};

ClusterConfig cluster_of(std::string name, std::vector<net::Address> endpoints);
/// One with the endpoints of its configuration.
CompiledCluster compiled(std::shared_ptr<const ClusterConfig> config,
                         std::shared_ptr<ClusterUsage> usage = std::make_shared<ClusterUsage>());
Route route_to(std::string prefix, std::string cluster);
RouteTable table_of(std::vector<Route> routes);

/// A data plane on one loop with the test, with one listener "front" on a port of its own.
class Plane {
 public:
  explicit Plane(unsigned workers = 1, ProcessLimits limits = {});
  ~Plane();
  /// Applies `routes` and `clusters`, and waits until every worker runs them.
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

/// Runs the loop until `condition` holds; false when it does not within `limit`.
bool run_until(net::Loop& loop, const std::function<bool()>& condition, Duration limit = 20s);

/// A request on a connection of its own, in progress from the beginning.
class Asking {
 public:
  Asking(Plane& plane, http::Request request);
  bool done() const { return answer_.has_value(); }
  /// The status, once it is there; 0 when the exchange broke, -1 when nothing came for 20 s.
  int status();
  const http::Response& response() const { return **answer_; }
  /// The client goes.
  void leave() { scope_.cancel_all(); }

 private:
  static net::Task<void> ask(Asking& self, http::Request request);
  Plane& plane_;
  std::optional<Result<http::Response>> answer_;
  net::TaskScope scope_;
};

/// Keeps the requests of an Upstream until it is opened. Outlives the upstream's use of it.
class Gate {
 public:
  Gate(net::Loop& loop, Upstream& upstream);
  bool open = false;

 private:
  net::Task<void> answer(http::ServerExchange& exchange);
  net::Loop& loop_;
};

/// A connection of bytes: what is written goes out, read_until() gives what came back.
class RawClient {
 public:
  RawClient(net::Loop& loop, const net::Address& to);
  void write(std::string_view bytes);
  /// Everything read so far, once it holds `text` or the connection has ended, or after 20 s.
  const std::string& read_until(std::string_view text);
  bool ended() const { return ended_; }

 private:
  net::Loop& loop_;
  std::unique_ptr<net::Socket> socket_;
  std::string got_;
  bool ended_ = false;
};

}  // namespace weft::proxy::testing

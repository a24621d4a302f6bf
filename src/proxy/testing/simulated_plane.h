#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/testing/pipe.h"
#include "proxy/worker.h"

namespace weft::proxy::testing {

/// One worker on a simulated loop with everything around it in the same process: pipes instead of sockets at
/// both sides, a clock that moves only when the test moves it, and chance from one seed.
class SimulatedPlane {
 public:
  using PipeEnd = net::testing::PipeEnd;

  explicit SimulatedPlane(std::uint64_t seed = 1);
  ~SimulatedPlane();

  net::Loop& loop() { return *loop_; }
  Worker& worker() { return *worker_; }
  /// Applies the snapshot at once.
  Result<void> apply(Snapshot snapshot);
  /// The same with one listener, "front", that speaks HTTP by `http`.
  Result<void> apply(RouteTable routes, std::vector<ClusterConfig> clusters);
  HttpConfig http;
  TransportPtr transport;  ///< of "front"

  /// The client's end of a new connection to "front".
  std::unique_ptr<PipeEnd> connect(std::size_t capacity = 256 * 1024);
  /// What becomes of a connection that the worker makes: the server's end goes to whom it may concern, an
  /// error to the worker. None set: every connection is rejected.
  using Accept = std::function<Result<void>(const net::Address& to, std::unique_ptr<PipeEnd> server)>;
  Accept accept;
  std::size_t pipe_capacity = 256 * 1024;  ///< of connections to endpoints
  Duration connect_delay{};                ///< until accept is asked

  std::uint64_t stat(const std::string& name) const;

 private:
  net::Task<Result<Connection>> dial(net::Address to, net::ConnectOptions options);

  std::unique_ptr<net::Loop> loop_;
  std::unique_ptr<Worker> worker_;
  CompiledSnapshotPtr compiled_;
};

/// "10.0.0.N:80"
net::Address simulated_endpoint(int number);

}  // namespace weft::proxy::testing

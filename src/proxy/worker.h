#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/socket.h"
#include "net/task.h"
#include "proxy/listener/accepted_connection.h"
#include "proxy/worker_facts.h"

namespace weft::proxy {

/// One thread of the data plane with everything it uses: sockets, connections, pools, counters, and the
/// snapshot it runs. Nothing of it is shared with another worker but immutable configuration.
///
/// Owner: a WorkerThread; a simulation. Thread: the loop's, but for its making and its end.
class Worker {
 public:
  struct Options {
    ProcessLimits limits;
    Connector connector;  ///< empty: the kernel
    Random random;
  };
  Worker(net::Loop& loop, Options options);
  ~Worker();
  net::Loop& loop() { return loop_; }
  /// Ends every connection, on the thread of the loop: coroutine frames and buffers go back to the thread
  /// they came from.
  void end_everything();

  /// A listening descriptor for the listener of that name.
  struct NewSocket {
    std::string listener;
    net::Fd fd;
    bool shared = false;
  };
  void apply(CompiledSnapshotPtr next, std::vector<NewSocket> sockets);
  /// Serves a connection of that listener of the snapshot; for one that is not there it is reset.
  void serve(AcceptedConnection accepted, const std::string& listener);
  /// What waits to be accepted is served; listeners are closed.
  void stop_accepting();
  void drain_connections();
  /// See Server::begin_graceful_drain().
  void begin_graceful_drain(DrainScope drain_scope);
  OpenWork open_work() const;
  std::size_t connections() const { return connections_.size(); }
  /// Runs once when no connection is left.
  void when_idle(std::function<void()> action) { connections_.when_empty(std::move(action)); }
  LogWriter& logs() { return logs_; }
  StatsSnapshot stats() const;
  struct EndpointView {
    std::string cluster, address;
    std::uint64_t connections = 0, active = 0, total = 0;
    std::uint32_t weight = 1, priority = 0;
    bool healthy = true;
  };
  std::vector<EndpointView> endpoint_views() const;

 private:
  struct Accepting;
  bool has_listeners_of(const CompiledSnapshot& before) const;
  void serve_accepted(std::unique_ptr<net::Socket> socket, const std::string& listener);
  void serve_waiting(const Accepting& accepting);
  static net::Task<void> accept_all(Worker& worker, Accepting& accepting);
  static net::Task<void> run(Worker& worker, AcceptedConnection accepted,
                             std::shared_ptr<const CompiledListener> listener);

  net::Loop& loop_;
  ProcessLimits limits_;
  Random random_;
  LogWriter logs_;
  CompiledSnapshotPtr snapshot_;
  ClusterSet clusters_;
  WorkerCounters counters_;
  ConnectionList connections_;
  DrainState drain_;
  WorkerFacts facts_{loop_, random_, logs_, limits_, snapshot_, clusters_, counters_, connections_, drain_};
  std::map<std::string, std::unique_ptr<Accepting>> accepting_;
  net::TaskScope tasks_;
};

}  // namespace weft::proxy

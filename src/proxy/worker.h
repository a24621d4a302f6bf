#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "net/socket.h"
#include "net/task.h"
#include "proxy/listener/accepted_connection.h"
#include "proxy/listener/compiled_listener.h"
#include "proxy/log/access_log.h"
#include "proxy/routing/string_map.h"
#include "proxy/server.h"
#include "proxy/stats/counters.h"
#include "proxy/upstream/upstream_cluster.h"

namespace weft::proxy {

class DownstreamConnection;

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
  void stop_accepting();
  void drain_connections();
  /// See Server::take_leave().
  void take_leave(Leaving leaving);
  bool is_leaving(const ListenerConfig& listener) const;
  bool is_draining() const { return draining_; }
  OpenWork open_work() const;
  std::size_t connections() const { return connections_.size(); }
  /// Runs once when no connection is left.
  void when_idle(std::function<void()> action);
  StatSheet stats() const;
  struct EndpointView {
    std::string cluster, address;
    std::uint64_t connections = 0, active = 0, total = 0;
    std::uint32_t weight = 1, priority = 0;
    bool healthy = true;
  };
  std::vector<EndpointView> endpoint_views() const;

  // what connections use

  const CompiledSnapshotPtr& snapshot() const { return snapshot_; }
  /// Made when it is asked for first: a mesh has many clusters, and a worker has requests for few. Null when
  /// there is no such cluster.
  std::shared_ptr<UpstreamCluster> cluster(std::string_view name);
  HttpCounters& http_counters(const std::string& prefix) { return http_counters_[prefix]; }
  ListenerCounters& listener_counters(const std::string& name) { return listener_counters_[name]; }
  Random& random() { return random_; }
  LogWriter& logs() { return logs_; }
  const ProcessLimits& limits() const { return limits_; }
  std::uint64_t add_connection(DownstreamConnection& connection);
  void remove_connection(std::uint64_t id);
  /// The connection of that id, if it is still there: how deferred work finds out.
  DownstreamConnection* connection(std::uint64_t id) const;
  void spawn(net::Task<void> task) { tasks_.spawn(std::move(task)); }

 private:
  struct Accepting;
  void update_clusters(const CompiledSnapshot* before);
  std::shared_ptr<UpstreamCluster> make_cluster(const CompiledCluster& from);
  /// With what this worker has of each; null where it has been asked for nothing.
  template <class Visit>
  void for_each_cluster(Visit visit) const;
  bool has_listeners_of(const CompiledSnapshot& before) const;
  void tell_connections(const CompiledSnapshotPtr& before);
  std::vector<std::uint64_t> connection_ids() const;
  static net::Task<void> accept_all(Worker& worker, Accepting& accepting);
  static net::Task<void> run(Worker& worker, AcceptedConnection accepted,
                             std::shared_ptr<const CompiledListener> listener);

  net::Loop& loop_;
  ProcessLimits limits_;
  Connector connector_;
  Random random_;
  LogWriter logs_;
  net::DnsResolver dns_;
  CompiledSnapshotPtr snapshot_;
  struct MadeCluster {
    std::shared_ptr<UpstreamCluster> cluster;
    CompiledClusterPtr from;
  };
  StringMap<MadeCluster> clusters_;  ///< those that have been asked for
  std::map<std::string, HttpCounters> http_counters_;
  std::map<std::string, ListenerCounters> listener_counters_;
  std::unordered_map<std::uint64_t, DownstreamConnection*> connections_;
  std::uint64_t next_connection_ = 1;
  std::optional<Leaving> leaving_;
  bool draining_ = false;
  std::function<void()> when_idle_;
  std::map<std::string, std::unique_ptr<Accepting>> accepting_;
  net::TaskScope tasks_;
};

}  // namespace weft::proxy

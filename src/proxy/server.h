#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/loop.h"
#include "proxy/config.h"

namespace weft::proxy {

/// A listening descriptor made by another process for the listener of that address.
struct InheritedListener {
  net::Address address;
  int fd;
};

struct ServerOptions {
  unsigned concurrency = 1;
  ProcessLimits limits;
  std::vector<InheritedListener> inherited;
  std::string node_id, node_cluster;
};

/// Which listeners drain: those of traffic that comes to the pod (Direction::kInbound), or every one.
enum class DrainScope : std::uint8_t { kInbound, kAll };

/// What clients are in the middle of.
struct OpenWork {
  std::uint64_t requests = 0;     ///< HTTP requests whose response is not complete
  std::uint64_t connections = 0;  ///< with or without one
};

/// The data plane of one process: workers, their listeners, and the snapshot they run.
///
/// Owner: the main thread, whose loop is `main`. Every method is called there; callbacks run there.
/// How it ends: drain() then stop(); the destructor stops at once.
class Server {
 public:
  virtual ~Server() = default;

  /// Starts the worker threads. Errors: a loop or thread could not be made.
  static Result<std::unique_ptr<Server>> start(net::Loop& main, ServerOptions options);

  /// Applies `snapshot`: binds new listeners first (an error leaves the old snapshot running everywhere
  /// and is given to `done`), then swaps every worker. `done` runs on the main loop when every worker runs
  /// the new snapshot.
  virtual void apply(SnapshotPtr snapshot, std::function<void(Result<void>)> done) = 0;
  virtual SnapshotPtr current() const = 0;

  /// Says that the configuration is complete: /ready responds with 200 from now on.
  virtual void set_ready(bool ready) = 0;
  virtual bool ready() const = 0;

  /// Stops accepting (`also_listeners`), closes idle connections, lets open requests end; `done` runs when
  /// none is left or `limit` has passed.
  virtual void drain(Milliseconds limit, std::function<void()> done) = 0;
  virtual void stop() = 0;

  /// Readiness is no longer said, and from now on every response of these listeners ends its connection
  /// ("Connection: close"), so that clients go elsewhere in their own time. Nothing is rejected: new
  /// connections are served like old ones. May be called again with more.
  virtual void begin_graceful_drain(DrainScope drain_scope) = 0;
  /// Summed over workers.
  virtual void count_open(std::function<void(OpenWork)> done) = 0;

  /// Prometheus text and Envoy's plain `/stats` text, summed over workers.
  virtual void collect_stats(bool prometheus, std::function<void(std::string)> done) = 0;
  /// Envoy's `/clusters` and `/listeners` text, or JSON.
  virtual void collect_clusters(bool json, std::function<void(std::string)> done) = 0;
  virtual std::string listeners_text(bool json) const = 0;

  /// Writes what the access logs have gathered; `done` runs when every worker has.
  virtual void flush_logs(std::function<void()> done) = 0;
};

}  // namespace weft::proxy

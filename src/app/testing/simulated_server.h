#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "net/task.h"
#include "proxy/server.h"
#include "proxy/worker.h"

namespace weft::app::testing {

/// The data plane of one proxy with its one worker on the loop of everything else: no sockets, no threads.
///
/// Owner: a SimulatedSidecar. Thread: the simulated loop. How it ends: the destructor ends every connection.
class SimulatedServer final : public proxy::Server {
 public:
  SimulatedServer(net::Loop& loop, proxy::Worker::Options options);
  ~SimulatedServer() override;

  void apply(proxy::SnapshotPtr snapshot, std::function<void(Result<void>)> done) override;
  proxy::SnapshotPtr current() const override { return current_ ? current_->source : nullptr; }
  void set_ready(bool ready) override { ready_ = ready; }
  bool ready() const override { return ready_; }
  void drain(proxy::Milliseconds, std::function<void()> done) override { done(); }
  void stop() override {}
  void begin_graceful_drain(proxy::DrainScope drain_scope) override {
    worker_.begin_graceful_drain(drain_scope);
  }
  void count_open(std::function<void(proxy::OpenWork)> done) override { done(worker_.open_work()); }
  void collect_stats(bool, std::function<void(std::string)> done) override { done(worker_.stats().plain()); }
  void collect_clusters(bool, std::function<void(std::string)> done) override { done({}); }
  std::string listeners_text(bool) const override { return {}; }
  void flush_logs(std::function<void()> done) override { done(); }

  proxy::Worker& worker() { return worker_; }
  /// How long the worker takes to change over; empty: no time.
  std::function<Duration()> takes;
  /// What cannot be applied, as when a port is in use; empty: everything can.
  std::function<Result<void>(const proxy::Snapshot&)> check;
  /// Snapshots that something still refers to.
  std::size_t snapshots_alive() const;

 private:
  net::Task<void> change(proxy::SnapshotPtr snapshot, std::function<void(Result<void>)> done);
  Result<void> apply_snapshot(const proxy::Snapshot& snapshot);
  std::shared_ptr<const proxy::ListenerConfig> without_logs(
      const std::shared_ptr<const proxy::ListenerConfig>& listener);

  net::Loop& loop_;
  proxy::Worker worker_;
  proxy::CompiledSnapshotPtr current_;
  std::vector<std::weak_ptr<const proxy::Snapshot>> made_;
  using ListenerPtr = std::shared_ptr<const proxy::ListenerConfig>;
  std::map<std::string, std::pair<ListenerPtr, ListenerPtr>> silent_;  ///< as it came, and without its logs
  bool ready_ = false;
  net::TaskScope tasks_;
};

}  // namespace weft::app::testing

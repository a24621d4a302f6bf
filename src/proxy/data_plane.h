#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "proxy/server.h"
#include "proxy/worker_thread.h"

namespace weft::proxy {

/// The Server: the main thread's side of the workers.
class DataPlane final : public Server {
 public:
  DataPlane(net::Loop& main, ServerOptions options);
  ~DataPlane() override;
  void start_workers();

  void apply(SnapshotPtr snapshot, std::function<void(Result<void>)> done) override;
  SnapshotPtr current() const override { return current_ ? current_->source : nullptr; }
  void set_ready(bool ready) override { ready_ = ready; }
  bool ready() const override { return ready_ && !draining_; }
  void drain(Milliseconds limit, std::function<void()> done) override;
  void stop() override;
  void begin_graceful_drain(DrainScope drain_scope) override;
  void count_open(std::function<void(OpenWork)> done) override;
  void collect_stats(bool prometheus, std::function<void(std::string)> done) override;
  void collect_clusters(bool json, std::function<void(std::string)> done) override;
  std::string listeners_text(bool json) const override;
  void flush_logs(std::function<void()> done) override;

 private:
  using Sockets = std::vector<std::vector<Worker::NewSocket>>;  ///< by worker
  Result<Sockets> bind_new(const Snapshot& snapshot);
  Result<void> bind(const ListenerConfig& listener, const net::Address& address, Sockets& into);
  int inherited(const net::Address& address) const;
  /// Whether a listener of the present snapshot listens there.
  bool is_bound(const net::Address& address) const;
  /// Runs `work` on every worker, then `done` here.
  void on_all(std::function<void(Worker&)> work, std::function<void()> done);

  net::Loop& main_;
  ServerOptions options_;
  std::vector<std::unique_ptr<WorkerThread>> threads_;
  std::vector<Worker*> workers_;  ///< of threads_
  CompiledSnapshotPtr current_;
  std::map<std::string, std::string> bound_;  ///< listener name → where and how its sockets listen
  /// Those who asked for a drain, and how many workers still have connections.
  struct Draining {
    std::size_t open = 0;
    bool over = false;
    std::vector<std::function<void()>> done;
    void end();
  };
  std::shared_ptr<Draining> drain_;  ///< once one was asked for
  std::unique_ptr<net::Timer> drain_timer_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  TimePoint started_;
  bool ready_ = false, draining_ = false;
};

}  // namespace weft::proxy

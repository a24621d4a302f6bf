#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "net/loop.h"
#include "proxy/server.h"

namespace weft::pod {

/// Graceful drain of a pod's proxy: it says that it is not ready, ends its clients' connections with their
/// next responses, goes on serving new ones, and exits when nothing is open any more.
///
/// Two ways lead here. A classic sidecar and a gateway get SIGTERM while the application may still work: they
/// stay at least `minimum`. A native sidecar is told to drain when its pod begins to end, and gets SIGTERM
/// when the application has ended: it goes as soon as nothing is open.
///
/// Owner: the program. Thread: the main loop.
class DrainManager {
 public:
  struct Options {
    proxy::DrainScope drain_scope = proxy::DrainScope::kInbound;
    std::chrono::milliseconds minimum{5'000};  ///< after terminate() that no drain() came before
    std::chrono::milliseconds limit{45'000};   ///< after terminate(), whatever is open then
    bool wait_for_connections = false;         ///< for connections to end, not only for requests
  };
  /// `on_exit` runs once, on the loop.
  DrainManager(net::Loop& loop, proxy::Server& server, Options options, std::function<void()> on_exit);

  /// Begins to drain, and stays. Again: nothing.
  void drain();
  /// Begins to go: SIGTERM. Again: goes at once.
  void terminate();
  void exit_at_once();
  bool begun() const { return draining_; }

 private:
  void look();
  void decide(proxy::OpenWork open);

  net::Loop& loop_;
  proxy::Server& server_;
  Options options_;
  std::function<void()> on_exit_;
  bool draining_ = false, terminating_ = false;
  TimePoint earliest_ = kNever, latest_ = kNever;
  net::Timer timer_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace weft::pod

#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "net/loop.h"
#include "proxy/server.h"

namespace weft::pod {

/// How a proxy leaves a pod: it says that it is not ready, ends its clients' connections with their next
/// answers, goes on serving whoever still comes, and is gone when nothing is open any more.
///
/// Two ways lead here. A classic sidecar and a gateway get SIGTERM while the application may still work: they
/// stay at least `minimum`. A native sidecar is told to drain when its pod begins to end, and gets SIGTERM
/// when the application has ended: it goes as soon as nothing is open.
///
/// Owner: the program. Thread: the main loop.
class Departure {
 public:
  struct Options {
    proxy::Leaving leaving = proxy::Leaving::kInbound;
    std::chrono::milliseconds minimum{5'000};  ///< after terminate() that no drain() came before
    std::chrono::milliseconds limit{45'000};   ///< after terminate(), whatever is open then
    bool wait_for_connections = false;         ///< for connections to end, not only for requests
  };
  /// `gone` runs once, on the loop.
  Departure(net::Loop& loop, proxy::Server& server, Options options, std::function<void()> gone);

  /// Begins to take leave, and stays. Again: nothing.
  void drain();
  /// Begins to go: SIGTERM. Again: goes at once.
  void terminate();
  void leave_at_once();
  bool begun() const { return draining_; }

 private:
  void look();
  void decide(proxy::OpenWork open);

  net::Loop& loop_;
  proxy::Server& server_;
  Options options_;
  std::function<void()> gone_;
  bool draining_ = false, terminating_ = false;
  TimePoint earliest_ = kNever, latest_ = kNever;
  net::Timer timer_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace weft::pod

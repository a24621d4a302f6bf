#pragma once

#include <functional>
#include <initializer_list>

#include "net/loop.h"
#include "net/socket.h"

namespace weft::net {

/// Signals as something that a loop waits for, instead of a handler that interrupts it (signalfd(2)).
///
/// Owner: the program's main. Thread: the loop's. The signals stay blocked when this ends: who started the
/// program asked for their default action by not starting this.
class SignalWatch final : private ReadyHandler {
 public:
  /// `on_signal` runs on the loop, once for each signal that arrived; signals of one number that arrive
  /// together count as one (signal(7)).
  SignalWatch(Loop& loop, std::function<void(int signal)> on_signal)
      : loop_(loop), on_signal_(std::move(on_signal)) {}

  /// Blocks `signals` in this thread and in those that it starts from now on; to be called before there are
  /// others. Errors: kExhausted.
  Result<void> start(std::initializer_list<int> signals);

 private:
  void on_ready(Ready) override;

  Loop& loop_;
  std::function<void(int signal)> on_signal_;
  Fd fd_;
  FdWatch watch_;
};

}  // namespace weft::net

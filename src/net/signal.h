#pragma once

#include <coroutine>
#include <utility>

#include "net/loop.h"

namespace weft::net {

/// One coroutine waits for another one to say that there is something to look at. Told while no one waits, it
/// lets the next wait end at once; a wait takes what was told.
///
/// Owner: what the coroutine waits for; it must outlive the wait. Thread: one loop. The waiter goes on from
/// the loop, never inside notify(), so it may destroy the owner.
class Signal {
 public:
  explicit Signal(Loop& loop)
      : wake_(loop, [this] {
          if (waiting_) std::exchange(waiting_, {}).resume();
        }) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  struct Awaiter {
    Signal& signal;
    bool await_ready() const noexcept { return signal.set_; }
    void await_suspend(std::coroutine_handle<> handle) noexcept { signal.waiting_ = handle; }
    void await_resume() const noexcept { signal.set_ = false; }
    ~Awaiter() {
      signal.waiting_ = {};
      signal.wake_.cancel();
    }
  };
  Awaiter wait() { return Awaiter{*this}; }

  void notify() {
    set_ = true;
    if (waiting_) wake_.schedule();
  }

 private:
  bool set_ = false;
  std::coroutine_handle<> waiting_;
  Deferred wake_;
};

}  // namespace weft::net

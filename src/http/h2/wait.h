#pragma once

#include <coroutine>
#include <utility>

#include "base/time.h"
#include "net/loop.h"

namespace weft::http::h2 {

/// The place where one coroutine waits for a stream to move. It is resumed from the loop, never inside
/// notify(), so it may destroy whatever it likes. A wait may end without a reason: look again.
///
/// Owner: a stream, which outlives every wait. Thread: one loop. A timer is armed only during a wait,
/// and one that fires too early arms itself again: cheaper than moving it for every wait.
class Wait {
 public:
  explicit Wait(net::Loop& loop)
      : loop_(loop), wake_(loop, [this] { resume(); }), timer_(loop, [this] { expire(); }) {}
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  struct Awaiter {
    Wait& wait;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      wait.handle_ = handle;
      wait.timed_out_ = false;
      wait.arm();
    }
    /// Whether the deadline has passed.
    [[nodiscard]] bool await_resume() const noexcept { return std::exchange(wait.timed_out_, false); }
    ~Awaiter() {
      wait.handle_ = {};
      wait.wake_.cancel();
    }
  };
  Awaiter operator co_await() { return Awaiter{*this}; }

  bool waiting() const { return static_cast<bool>(handle_); }
  void notify() {
    if (handle_) wake_.schedule();
  }
  /// Also for a wait that has begun.
  void set_deadline(TimePoint when) {
    deadline_ = when;
    if (handle_) arm();
  }
  TimePoint deadline() const { return deadline_; }

 private:
  void arm() {
    if (deadline_ != kNever && (!timer_.armed() || timer_.when() > deadline_)) timer_.arm(deadline_);
  }
  void resume() {
    if (handle_) std::exchange(handle_, {}).resume();
  }
  void expire() {
    if (!handle_ || deadline_ == kNever) return;
    if (deadline_ > loop_.now()) return timer_.arm(deadline_);
    timed_out_ = true;
    resume();
  }

  net::Loop& loop_;
  std::coroutine_handle<> handle_;
  TimePoint deadline_ = kNever;
  bool timed_out_ = false;
  net::Deferred wake_;
  net::Timer timer_;
};

}  // namespace weft::http::h2

#pragma once

#include <coroutine>
#include <utility>

#include "net/loop.h"

namespace weft::local {

/// Something that has happened or not, and one coroutine that waits for it.
///
/// Owner: what it is about. Thread: the loop's. The waiter goes on from the loop, never inside set().
class Event {
 public:
  explicit Event(net::Loop& loop)
      : timer_(loop, [this] {
          if (auto handle = std::exchange(waiting_, {})) handle.resume();
        }) {}

  void set() {
    set_ = true;
    if (waiting_) timer_.arm(TimePoint{});
  }
  void clear() { set_ = false; }
  bool is_set() const { return set_; }

  struct Awaiter {
    Event& event;
    bool await_ready() const noexcept { return event.set_; }
    void await_suspend(std::coroutine_handle<> handle) noexcept { event.waiting_ = handle; }
    void await_resume() const noexcept {}
    ~Awaiter() { event.waiting_ = {}; }
  };
  /// Returns when it is set.
  Awaiter wait() { return Awaiter{*this}; }
  /// Returns when it is set, or at `when`: whether it is set.
  struct TimedAwaiter {
    Event& event;
    TimePoint when;
    bool await_ready() const noexcept { return event.set_; }
    void await_suspend(std::coroutine_handle<> handle) {
      event.waiting_ = handle;
      event.timer_.arm(when);
    }
    bool await_resume() const noexcept { return event.set_; }
    ~TimedAwaiter() {
      event.waiting_ = {};
      event.timer_.disarm();
    }
  };
  TimedAwaiter wait_until(TimePoint when) { return TimedAwaiter{*this, when}; }

 private:
  std::coroutine_handle<> waiting_;
  bool set_ = false;
  net::Timer timer_;
};

}  // namespace weft::local

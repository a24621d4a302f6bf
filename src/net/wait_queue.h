#pragma once

#include <coroutine>
#include <cstdint>
#include <map>
#include <utility>

#include "net/loop.h"

namespace weft::net {

/// Coroutines that wait until they are told to look again. It remembers nothing: what was told before a wait
/// began does not end it (Event remembers).
///
/// Owner: what they wait for; it must outlive its waiters. Thread: one loop. Waiters go on from the loop, in
/// the order in which they began to wait, never inside notify_all(). How it ends: a waiter that is destroyed
/// is forgotten.
class WaitQueue {
 public:
  explicit WaitQueue(Loop& loop) : loop_(loop) {}
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  class Awaiter {
   public:
    Awaiter(WaitQueue& queue, TimePoint limit)
        : queue_(queue),
          limit_(limit),
          timer_(queue.loop_, [this] { handle_.resume(); }),
          wake_(queue.loop_, [this] { handle_.resume(); }) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    ~Awaiter() { queue_.waiting_.erase(turn_); }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) {
      handle_ = waiting;
      turn_ = ++queue_.turns_;
      queue_.waiting_.emplace(turn_, this);
      timer_.arm(limit_);
    }
    /// False when the limit came first.
    bool await_resume() const noexcept { return notified_; }

   private:
    friend class WaitQueue;
    WaitQueue& queue_;
    TimePoint limit_;
    Timer timer_;
    Deferred wake_;
    std::coroutine_handle<> handle_;
    std::uint64_t turn_ = 0;
    bool notified_ = false;
  };
  /// co_await gives whether it was told, or the limit came first.
  Awaiter wait(TimePoint limit = kNever) { return {*this, limit}; }

  /// Tells all who wait now.
  void notify_all() {
    for (const auto& [turn, waiter] : std::exchange(waiting_, {})) {
      waiter->notified_ = true;
      waiter->timer_.disarm();
      waiter->wake_.schedule();
    }
  }

 private:
  Loop& loop_;
  std::map<std::uint64_t, Awaiter*> waiting_;
  std::uint64_t turns_ = 0;
};

}  // namespace weft::net

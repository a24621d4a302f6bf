#pragma once

#include <coroutine>
#include <cstdint>
#include <map>

#include "net/loop.h"

namespace weft::control {

/// Tells everybody who waits that something has changed and is worth looking at again.
///
/// Thread: one loop. Waiters are resumed from the loop, in the order in which they began to wait, never
/// inside notify_all(). Must outlive its waiters.
class Notifier {
 public:
  explicit Notifier(net::Loop& loop) : loop_(loop) {}

  struct Awaiter {
    Awaiter(Notifier& notifier, TimePoint until)
        : owner(notifier), deadline(until), timer(notifier.loop_, [this] { handle.resume(); }) {}
    ~Awaiter() { owner.waiting_.erase(turn); }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) {
      handle = waiting;
      turn = ++owner.turns_;
      owner.waiting_.emplace(turn, this);
      timer.arm(deadline);
    }
    /// False when the deadline came first.
    bool await_resume() const noexcept { return notified; }

    Notifier& owner;
    TimePoint deadline;
    net::Timer timer;
    std::coroutine_handle<> handle;
    std::uint64_t turn = 0;
    bool notified = false;
  };
  Awaiter wait(TimePoint deadline) { return Awaiter(*this, deadline); }

  void notify_all() {
    for (const auto& [turn, waiter] : waiting_) {
      waiter->notified = true;
      waiter->timer.arm(loop_.now());
    }
    waiting_.clear();
  }

 private:
  net::Loop& loop_;
  std::map<std::uint64_t, Awaiter*> waiting_;
  std::uint64_t turns_ = 0;
};

}  // namespace weft::control

#pragma once

#include <coroutine>
#include <set>

#include "net/loop.h"

namespace weft::control {

/// Tells everybody who waits that something has changed and is worth looking at again.
///
/// Thread: one loop. Waiters are resumed from the loop, never inside notify_all(). Must outlive its waiters.
class Notifier {
 public:
  explicit Notifier(net::Loop& loop) : loop_(loop) {}

  struct Awaiter {
    Awaiter(Notifier& notifier, TimePoint until)
        : owner(notifier), deadline(until), timer(notifier.loop_, [this] { handle.resume(); }) {}
    ~Awaiter() { owner.waiting_.erase(this); }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) {
      handle = waiting;
      owner.waiting_.insert(this);
      timer.arm(deadline);
    }
    /// False when the deadline came first.
    bool await_resume() const noexcept { return notified; }

    Notifier& owner;
    TimePoint deadline;
    net::Timer timer;
    std::coroutine_handle<> handle;
    bool notified = false;
  };
  Awaiter wait(TimePoint deadline) { return Awaiter(*this, deadline); }

  void notify_all() {
    for (Awaiter* waiter : waiting_) {
      waiter->notified = true;
      waiter->timer.arm(loop_.now());
    }
    waiting_.clear();
  }

 private:
  net::Loop& loop_;
  std::set<Awaiter*> waiting_;
};

}  // namespace weft::control

#pragma once

#include "net/wait_queue.h"

namespace weft::net {

/// Something that has happened or not, and the coroutines that wait for it.
///
/// Owner: what it is about; it must outlive its waiters. Thread: one loop. A waiter goes on from the loop,
/// never inside set(), and may find the event cleared again by one that went on before it.
class Event {
 public:
  explicit Event(Loop& loop) : waiting_(loop) {}

  void set() {
    set_ = true;
    waiting_.notify_all();
  }
  void clear() { set_ = false; }
  bool is_set() const { return set_; }

  /// co_await returns at once when it is set; it gives whether it has happened.
  class Awaiter : public WaitQueue::Awaiter {
   public:
    Awaiter(Event& event, TimePoint limit)
        : WaitQueue::Awaiter(event.waiting_, limit), was_set_(event.set_) {}
    bool await_ready() const noexcept { return was_set_; }
    bool await_resume() const noexcept { return was_set_ || WaitQueue::Awaiter::await_resume(); }

   private:
    bool was_set_;
  };
  Awaiter wait() { return {*this, kNever}; }
  Awaiter wait_until(TimePoint limit) { return {*this, limit}; }

 private:
  WaitQueue waiting_;
  bool set_ = false;
};

}  // namespace weft::net

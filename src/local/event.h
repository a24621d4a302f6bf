#pragma once

#include <coroutine>
#include <utility>
#include <vector>

#include "net/loop.h"

namespace weft::local {

/// Something that has happened or not, and the coroutines that wait for it.
///
/// Owner: what it is about; it outlives those who wait. Thread: the loop's. A waiter goes on from the
/// loop, never inside set(), and may find the event cleared again by one who went on before.
class Event {
 public:
  explicit Event(net::Loop& loop) : loop_(loop) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void set() {
    set_ = true;
    for (Awaiter* waiter : std::exchange(waiting_, {})) waiter->happened();
  }
  void clear() { set_ = false; }
  bool is_set() const { return set_; }

  /// co_await gives whether it has happened.
  class Awaiter {
   public:
    Awaiter(Event& event, TimePoint limit)
        : event_(event), timer_(event.loop_, [this] { handle_.resume(); }), limit_(limit) {}
    ~Awaiter() { std::erase(event_.waiting_, this); }
    bool await_ready() {
      happened_ = event_.set_;
      return happened_;
    }
    void await_suspend(std::coroutine_handle<> handle) {
      handle_ = handle;
      event_.waiting_.push_back(this);
      timer_.arm(limit_);
    }
    bool await_resume() const { return happened_; }

   private:
    friend class Event;
    void happened() {
      happened_ = true;
      timer_.arm(TimePoint{});
    }
    Event& event_;
    net::Timer timer_;
    TimePoint limit_;
    std::coroutine_handle<> handle_;
    bool happened_ = false;
  };
  /// Returns when it is set.
  Awaiter wait() { return {*this, kNever}; }
  /// Returns when it is set, or at `limit`.
  Awaiter wait_until(TimePoint limit) { return {*this, limit}; }

 private:
  net::Loop& loop_;
  std::vector<Awaiter*> waiting_;
  bool set_ = false;
};

}  // namespace weft::local

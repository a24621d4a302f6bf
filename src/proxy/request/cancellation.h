#pragma once

#include <functional>
#include <utility>

#include "net/loop.h"

namespace weft::proxy {

/// Tells what waits on behalf of a request that its response is no longer wanted. Each request has its own:
/// cancelling one touches no other on the same connection.
///
/// Owner: the request's HttpStream. Thread: the loop's.
class Cancellation {
 public:
  explicit Cancellation(net::Loop& loop) : turn_(loop, [this] { tell(); }) {}

  /// The wait under way is ended from the loop, never inside this call.
  void request() {
    if (!std::exchange(requested_, true)) turn_.schedule();
  }
  bool requested() const { return requested_; }

  /// While it lives, `action` is what ends the wait under way, instead of that of an outer one. It may
  /// destroy the request.
  class Wait {
   public:
    Wait(Cancellation& of, std::function<void()> action)
        : of_(of), action_(std::move(action)), outer_(std::exchange(of.innermost_, this)) {
      // A wait that begins too late is over as soon.
      if (of.requested_) of.turn_.schedule();
    }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait() {
      Wait** at = &of_.innermost_;
      while (*at != this) at = &(*at)->outer_;
      *at = outer_;
    }

   private:
    friend class Cancellation;
    Cancellation& of_;
    std::function<void()> action_;
    Wait* outer_;
  };

 private:
  void tell() {
    if (innermost_) innermost_->action_();
  }

  bool requested_ = false;
  Wait* innermost_ = nullptr;
  net::Deferred turn_;
};

}  // namespace weft::proxy

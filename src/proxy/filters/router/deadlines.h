#pragma once

#include <algorithm>
#include <utility>

#include "base/time.h"
#include "proxy/config.h"

namespace weft::proxy {

/// The time limits of one request that is forwarded, over all its tries. Numbers only: the stream keeps them.
///
/// A request's time counts from its last byte: the client's own pace is not held against the endpoint.
/// Owner: one request. Thread: the worker's loop. Zero is "no limit" in what is given, kNever in what is
/// returned.
class Deadlines {
 public:
  struct Limits {
    Milliseconds response{0};  ///< from the request's last byte to the response's
    Milliseconds per_try{0};   ///< likewise, until the first byte of the response
    Milliseconds idle{0};      ///< between two bytes of either direction
    Milliseconds stall{0};     ///< where `idle` is none: for a peer that takes no byte of what waits for it
    TimePoint end = kNever;    ///< of the exchange, however long its request takes
  };
  explicit Deadlines(const Limits& limits) : limits_(limits), whole_(limits.end) {}

  Milliseconds idle() const { return limits_.idle; }
  /// A peer may take no byte for that long, or owe one that was announced.
  Milliseconds idle_or_stall() const { return limits_.idle.count() ? limits_.idle : limits_.stall; }

  /// The request has come whole; only the first call counts.
  void start(TimePoint now) {
    if (!std::exchange(started_, true)) whole_ = std::min(whole_, after(now, limits_.response));
  }
  void begin_try() { try_ = kNever; }
  /// The endpoint has, or is about to have, the whole request of this try; only the first call counts.
  void start_try(TimePoint now) {
    if (try_ == kNever) try_ = after(now, limits_.per_try);
  }

  TimePoint whole() const { return whole_; }
  bool passed(TimePoint now) const { return whole_ <= now; }
  TimePoint end() const { return limits_.end; }
  /// The time of the exchange as a whole is over.
  bool ended(TimePoint now) const { return limits_.end <= now; }
  bool try_passed(TimePoint now) const { return try_ <= now; }

  /// For a connection. A request whose body is still to come has no deadline of its own yet; it waits as long
  /// as its response may take, or a silent stream.
  TimePoint for_connection(TimePoint now) const {
    const Milliseconds wait = limits_.response.count() ? limits_.response : limits_.idle;
    return std::min({whole_, try_, after(now, wait)});
  }
  /// For reading the response. While the request is still sent, the wait for its next piece says whether both
  /// are idle.
  TimePoint for_reading(TimePoint now, bool request_read, bool response_started) const {
    const TimePoint limit = limit_of(response_started);
    return request_read ? std::min(after(now, limits_.idle), limit) : limit;
  }
  /// For writing the request, however steadily it moves; besides idle_or_stall().
  TimePoint for_writing(bool response_started) const { return limit_of(response_started); }

 private:
  static TimePoint after(TimePoint now, Milliseconds limit) { return limit.count() ? now + limit : kNever; }
  TimePoint limit_of(bool response_started) const {
    return std::min(whole_, response_started ? kNever : try_);
  }

  Limits limits_;
  TimePoint whole_;
  bool started_ = false;
  TimePoint try_ = kNever;
};

}  // namespace weft::proxy

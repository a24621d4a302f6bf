#pragma once

#include <cstdint>
#include <utility>

#include "base/time.h"
#include "http/server_session.h"

namespace weft::http::h2 {

/// Counts what costs a peer next to nothing and us more (RFC 9113 §10.5): each function says whether the
/// connection has to end for it, with ENHANCE_YOUR_CALM. Pure; no I/O. Owner: one connection.
class FloodGuard {
 public:
  FloodGuard(const Http2Limits& limits, TimePoint now) : limits_(limits), since_(now) {}

  /// A frame that brings no data and opens no stream: SETTINGS, PRIORITY, empty DATA, CONTINUATION …
  bool idle_frame(TimePoint now) {
    turn(now);
    return ++idle_frames_ > limits_.max_frames_without_data;
  }
  /// The peer may send a PING for each DATA frame that was sent to it, in this period and the one before:
  /// libraries of gRPC measure with them how fast data comes. What goes beyond is a frame without data.
  bool ping(TimePoint now) {
    turn(now);
    if (pings_ >= data_sent_ + data_sent_before_) return idle_frame(now);
    ++pings_;
    return false;
  }
  /// A stream was reset by the peer, or made us reset it (rapid reset, and what looks like it from outside).
  /// A peer that cancels some of many streams, as one that serves others has to, is none where it may. Nor is
  /// it rapid to reset one of an earlier period: there are never more of them than may be open at once, and
  /// all of them at once is what a time-out of those others looks like.
  bool reset(TimePoint begun, TimePoint now) {
    turn(now);
    if (now - begun >= limits_.flood_period) return false;
    if (++resets_ <= limits_.max_resets * (limits_.of_many ? kMany : 1)) return false;
    return !limits_.may_reset_half || resets_ > (opened_ + opened_before_) / 2;
  }
  /// A stream was reset whose response is complete, or that is gone. Each stream may be reset once; what goes
  /// beyond is a frame without data.
  bool late_reset(TimePoint now) {
    turn(now);
    if (late_resets_ >= opened_ + opened_before_) return idle_frame(now);
    ++late_resets_;
    return false;
  }
  /// The peer may open as many windows as it was given reasons to: a few for each stream, more for each DATA
  /// frame that was sent to it.
  bool window_update() { return --window_updates_ < 0; }
  bool stream_opened(TimePoint now) {
    turn(now);
    window_updates_ += kWindowUpdatesPerStream;
    return ++opened_ > limits_.max_opened;
  }
  void data_sent(TimePoint now) {
    turn(now);
    ++data_sent_;
    window_updates_ += kWindowUpdatesPerFrame;
  }
  /// A padded DATA frame with so many octets, which may be padding alone: each small one costs what it lacks
  /// of a useful size.
  bool padded_frame(std::size_t octets, TimePoint now) {
    turn(now);
    if (octets < kSmallFrame) small_frames_ += kSmallFrame - octets;
    return small_frames_ > kSmallFrames;
  }

 private:
  static constexpr std::int64_t kWindowUpdatesAtFirst = 64, kWindowUpdatesPerStream = 2,
                                kWindowUpdatesPerFrame = 20;
  static constexpr std::uint32_t kMany = 10;  ///< peers whose streams one that is of many may bring
  static constexpr std::size_t kSmallFrame = 256, kSmallFrames = 50'000 * kSmallFrame;

  void turn(TimePoint now) {
    if (now - since_ < limits_.flood_period) return;
    since_ = now;
    idle_frames_ = resets_ = late_resets_ = pings_ = 0;
    small_frames_ = 0;
    opened_before_ = std::exchange(opened_, 0);
    data_sent_before_ = std::exchange(data_sent_, 0);
  }

  const Http2Limits& limits_;
  TimePoint since_;
  std::uint32_t idle_frames_ = 0, resets_ = 0, late_resets_ = 0;
  std::uint32_t opened_ = 0, opened_before_ = 0;  ///< streams, in this period and the one before
  std::uint64_t pings_ = 0, data_sent_ = 0, data_sent_before_ = 0;
  std::size_t small_frames_ = 0;
  std::int64_t window_updates_ = kWindowUpdatesAtFirst;
};

}  // namespace weft::http::h2

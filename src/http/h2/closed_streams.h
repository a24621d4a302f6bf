#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "http/h2/error_code.h"

namespace weft::http::h2 {

/// What a server remembers of streams that are over, to tell frames that have crossed its RST_STREAM from
/// those that break a rule (RFC 9113 §5.1). Pure. Owner: one connection.
class ClosedStreams {
 public:
  void opened(std::int32_t id) {
    if (id > last_ + 2) skipped_from_ = last_ + 2;
    if (id > last_ + 2) skipped_to_ = id - 2;
    last_ = std::max(last_, id);
  }
  /// Such an id is a new stream's.
  bool may_open(std::int32_t id) const { return id > last_; }
  /// What was sent before RST_STREAM came there may still arrive.
  void reset_by_us(std::int32_t id) {
    if (resets_.size() < kRemembered) return resets_.push_back(id);
    forgotten_to_ = std::max(forgotten_to_, std::exchange(resets_[next_], id));
    next_ = (next_ + 1) % kRemembered;
  }
  /// For DATA or HEADERS of a stream that is not open.
  ErrorCode check(std::int32_t id, bool head) const {
    if (id > last_ || id % 2 == 0 || id <= forgotten_to_ || std::ranges::find(resets_, id) != resets_.end())
      return ErrorCode::kNoError;
    // §5.1.1: streams begin in the order of their ids.
    if (head && id >= skipped_from_ && id <= skipped_to_) return ErrorCode::kProtocolError;
    return ErrorCode::kStreamClosed;
  }

 private:
  static constexpr std::size_t kRemembered = 128;
  std::int32_t last_ = -1, skipped_from_ = 0, skipped_to_ = 0, forgotten_to_ = 0;
  std::vector<std::int32_t> resets_;
  std::size_t next_ = 0;
};

}  // namespace weft::http::h2

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::http::h2 {

/// How much of what waits to be sent, in order, is heads of our own. Pure. Owner: one connection.
class OwnHeads {
 public:
  /// So many bytes wait behind the others.
  void added(std::size_t bytes, bool head) {
    const std::uint64_t begin = added_;
    added_ += bytes;
    if (!head) return;
    waiting_ += bytes;
    if (first_ < ranges_.size() && ranges_.back().end == begin)
      ranges_.back().end = added_;
    else
      ranges_.push_back({begin, added_});
  }
  /// So many of the first have left.
  void sent(std::size_t bytes) {
    sent_ += bytes;
    for (; first_ < ranges_.size(); ++first_) {
      Range& range = ranges_[first_];
      const std::uint64_t to = std::clamp(sent_, range.begin, range.end);
      waiting_ -= static_cast<std::size_t>(to - range.begin);
      range.begin = to;
      if (to < range.end) break;
    }
    if (first_ < ranges_.size() && first_ < kKept) return;
    ranges_.erase(ranges_.begin(), ranges_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
    if (ranges_.empty() && ranges_.capacity() > kKept) std::vector<Range>().swap(ranges_);
  }
  std::size_t waiting() const { return waiting_; }

 private:
  /// Of all the bytes that have ever been added.
  struct Range {
    std::uint64_t begin, end;
  };
  static constexpr std::size_t kKept = 16;

  std::vector<Range> ranges_;
  std::size_t first_ = 0, waiting_ = 0;
  std::uint64_t added_ = 0, sent_ = 0;
};

}  // namespace weft::http::h2

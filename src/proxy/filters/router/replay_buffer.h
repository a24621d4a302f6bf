#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace weft::proxy {

/// What was read of a request's body, for the next try to send again. Bounded: a body that is larger is sent
/// once.
///
/// Owner: one request. Thread: the worker's loop.
class ReplayBuffer {
 public:
  static constexpr std::size_t kMaxBytes = 64 * 1024;

  ReplayBuffer() = default;
  /// `limit`: bytes, where they are fewer than kMaxBytes.
  explicit ReplayBuffer(std::size_t limit) : limit_(std::min(limit, kMaxBytes)) {}

  /// Takes the next piece of the body. One that does not fit, or that no try could need, makes it incomplete
  /// forever.
  void add(std::string_view piece, bool may_be_needed) {
    if (piece.empty()) return;
    if (may_be_needed && complete_ && bytes_.size() + piece.size() <= limit_) {
      bytes_.append(piece);
      return;
    }
    complete_ = false;
    std::string().swap(bytes_);
  }
  /// All that was read is here: a try can begin with it.
  bool complete() const { return complete_; }
  bool empty() const { return bytes_.empty(); }
  std::string_view bytes() const { return bytes_; }

 private:
  std::size_t limit_ = kMaxBytes;
  std::string bytes_;
  bool complete_ = true;
};

}  // namespace weft::proxy

#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace weft::http::grpc {

/// Bytes on their way to a peer. Some are this stream's own; long ones may be shared with other streams that
/// send the same, and are then held, not copied.
///
/// Owner: SessionStream. Thread: one loop.
class Outgoing {
 public:
  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    if (parts_.empty() || parts_.back().shared) parts_.push_back({});
    parts_.back().own.append(bytes);
    size_ += bytes.size();
  }
  void append(std::shared_ptr<const std::string> bytes) {
    if (!bytes || bytes->empty()) return;
    size_ += bytes->size();
    parts_.push_back({.own = {}, .shared = std::move(bytes)});
  }

  std::size_t size() const { return size_; }

  /// Moves at most `room` bytes from the front to `into`; how many.
  std::size_t take(char* into, std::size_t room) {
    std::size_t taken = 0;
    while (taken < room && !parts_.empty()) {
      const std::string_view front = parts_.front().bytes().substr(front_taken_);
      const std::size_t part = std::min(room - taken, front.size());
      std::copy_n(front.data(), part, into + taken);
      taken += part;
      front_taken_ += part;
      if (part == front.size()) {
        parts_.pop_front();
        front_taken_ = 0;
      }
    }
    size_ -= taken;
    return taken;
  }

 private:
  struct Part {
    std::string own;
    std::shared_ptr<const std::string> shared;  ///< null: the bytes are `own`
    std::string_view bytes() const { return shared ? std::string_view(*shared) : std::string_view(own); }
  };
  std::deque<Part> parts_;
  std::size_t front_taken_ = 0;  ///< bytes of the first part that are gone
  std::size_t size_ = 0;
};

}  // namespace weft::http::grpc

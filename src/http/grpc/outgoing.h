#pragma once

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
    // What front() has shown stays where it is.
    const bool shown = parts_.size() == 1 && shown_;
    if (parts_.empty() || parts_.back().shared || shown) parts_.push_back({});
    parts_.back().own.append(bytes);
    size_ += bytes.size();
  }
  void append(std::shared_ptr<const std::string> bytes) {
    if (!bytes || bytes->empty()) return;
    size_ += bytes->size();
    parts_.push_back({.own = {}, .shared = std::move(bytes)});
  }

  std::size_t size() const { return size_; }

  /// At most `most` bytes of those that are next; they stay where they are until pop(). Not of an empty one.
  std::string_view front(std::size_t most) {
    shown_ = true;
    return parts_.front().bytes().substr(front_gone_, most);
  }
  /// So many of those that front() has shown are gone.
  void pop(std::size_t bytes) {
    size_ -= bytes;
    front_gone_ += bytes;
    shown_ = false;
    if (front_gone_ < parts_.front().bytes().size()) return;
    parts_.pop_front();
    front_gone_ = 0;
  }

 private:
  struct Part {
    std::string own;
    std::shared_ptr<const std::string> shared;  ///< null: the bytes are `own`
    std::string_view bytes() const { return shared ? std::string_view(*shared) : std::string_view(own); }
  };
  std::deque<Part> parts_;
  std::size_t front_gone_ = 0;  ///< bytes of the first part
  std::size_t size_ = 0;
  bool shown_ = false;
};

}  // namespace weft::http::grpc

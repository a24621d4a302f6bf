#include "net/testing/pipe.h"

#include <algorithm>
#include <cstring>

namespace weft::net::testing {

PipeEnd::~PipeEnd() {
  *alive_ = false;
  if (!closed()) do_close(false);
}

IoResult PipeEnd::try_read(std::span<char> into) {
  if (closed()) return {0, IoError::kClosed};
  if (reset_) return {0, IoError::kReset};
  if (incoming_.empty()) {
    if (end_of_input_) return {0, IoError::kEnd};
    may_read_ = false;
    return {0, IoError::kWouldBlock};
  }
  const std::size_t count = std::min({into.size(), incoming_.size(), fragment_});
  std::memcpy(into.data(), incoming_.data(), count);
  incoming_.erase(0, count);
  wake_peer(false, true, false, false);
  return {count, IoError::kNone};
}

IoResult PipeEnd::peek(std::span<char> into) {
  may_read_ = false;
  if (closed()) return {0, IoError::kClosed};
  if (reset_) return {0, IoError::kReset};
  if (incoming_.empty()) return {0, end_of_input_ ? IoError::kEnd : IoError::kWouldBlock};
  const std::size_t count = std::min({into.size(), incoming_.size(), fragment_});
  std::memcpy(into.data(), incoming_.data(), count);
  return {count, IoError::kNone};
}

IoResult PipeEnd::try_write(std::span<const iovec> parts) {
  if (closed()) return {0, IoError::kClosed};
  if (!peer_ || reset_) return {0, IoError::kReset};
  std::size_t done = 0;
  for (const iovec& part : parts) {
    const std::size_t room = capacity_ - std::min(capacity_, peer_->incoming_.size());
    const std::size_t count = std::min(room, part.iov_len);
    peer_->incoming_.append(static_cast<const char*>(part.iov_base), count);
    done += count;
    if (count < part.iov_len) break;
  }
  if (done == 0) {
    may_write_ = false;
    return {0, IoError::kWouldBlock};
  }
  wake_peer(true, false, false, false);
  return {done, IoError::kNone};
}

void PipeEnd::shutdown_write() {
  if (!peer_) return;
  peer_->end_of_input_ = true;
  wake_peer(true, false, true, false);
}

std::string PipeEnd::take() {
  std::string all = std::move(incoming_);
  incoming_.clear();
  wake_peer(false, true, false, false);
  return all;
}

void PipeEnd::do_close(bool reset) {
  if (!peer_) return;
  if (reset) peer_->reset_ = true;
  peer_->end_of_input_ = true;
  wake_peer(true, true, true, reset);
  peer_->peer_ = nullptr;
  peer_ = nullptr;
}

void PipeEnd::wake_peer(bool readable, bool writable, bool ended, bool broken) {
  if (!peer_) return;
  PipeEnd* to = peer_;
  loop().defer([to, alive = to->alive_, readable, writable, ended, broken] {
    if (*alive && !to->closed()) to->notify({readable, writable, ended, broken});
  });
}

std::pair<std::unique_ptr<PipeEnd>, std::unique_ptr<PipeEnd>> make_pipe(Loop& loop, std::size_t capacity) {
  auto one = std::make_unique<PipeEnd>(loop, capacity);
  auto two = std::make_unique<PipeEnd>(loop, capacity);
  one->peer_ = two.get();
  two->peer_ = one.get();
  return {std::move(one), std::move(two)};
}

void send_in_pieces(Loop& loop, PipeEnd& end, std::string_view bytes, std::size_t step) {
  for (std::size_t at = 0; at < bytes.size() && !end.closed(); at += step) {
    // A copy, so that a sanitizer sees who reads a piece later.
    const std::string piece(bytes.substr(at, step));
    const iovec part{const_cast<char*>(piece.data()), piece.size()};
    static_cast<void>(end.try_write(std::span(&part, 1)));
    loop.settle();
    end.take();
  }
  end.close();
  loop.settle();
}

}  // namespace weft::net::testing

#include "http/h2/tunnel.h"

#include <algorithm>
#include <cstring>

namespace weft::http::h2 {
namespace {

constexpr std::size_t kMaxOut = 64 * 1024;

}  // namespace

Tunnel::Tunnel(h2::Stream& stream)
    : net::Stream(stream.loop()), stream_(stream), tell_(stream.loop(), [this] { tell(); }) {
  stream_.give_back();
  stream_.piece_.clear();
  stream_.tunnel_ = this;
}

Tunnel::~Tunnel() {
  stream_.out_ = {};
  stream_.tunnel_ = nullptr;
}

void Tunnel::moved_in() {
  in_moved_ = true;
  tell_.schedule();
}

void Tunnel::moved_out() {
  out_moved_ = true;
  tell_.schedule();
}

void Tunnel::tell() {
  const bool cut = stream_.closed() && !(stream_.remote_ended() && stream_.local_ended());
  notify({.readable = std::exchange(in_moved_, false),
          .writable = std::exchange(out_moved_, false),
          .ended = stream_.remote_ended() || cut,
          .broken = cut});
}

net::IoResult Tunnel::peek(std::span<char> into) {
  const net::IoResult got = look(into);
  may_read_ = false;
  return got;
}

/// Copies what is there, without taking it.
net::IoResult Tunnel::look(std::span<char> into) {
  if (read_ == stream_.piece_.size()) {
    if (stream_.in_.empty()) {
      may_read_ = false;
      if (stream_.remote_ended()) return {0, net::IoError::kEnd};
      if (stream_.closed()) return {0, net::IoError::kReset};
      return {0, net::IoError::kWouldBlock};
    }
    static_cast<void>(stream_.take_piece());
    read_ = 0;
  }
  const std::size_t size = std::min(into.size(), stream_.piece_.size() - read_);
  std::memcpy(into.data(), stream_.piece_.data() + read_, size);
  return {size, net::IoError::kNone};
}

net::IoResult Tunnel::try_read(std::span<char> into) {
  if (closed()) return {0, net::IoError::kClosed};
  const net::IoResult got = look(into);
  read_ += got.bytes;
  if (got.ok() && read_ == stream_.piece_.size()) stream_.give_back();
  return got;
}

bool Tunnel::quiet() {
  return read_ == stream_.piece_.size() && stream_.in_.empty() && !stream_.remote_ended() &&
         !stream_.closed();
}

net::IoResult Tunnel::try_write(std::span<const iovec> parts) {
  if (closed() || ending_) return {0, net::IoError::kClosed};
  if (stream_.closed()) return {0, net::IoError::kReset};
  out_.erase(0, out_.size() - stream_.out_.size());
  std::size_t taken = 0;
  for (const iovec& part : parts) {
    const std::size_t size = std::min(part.iov_len, kMaxOut - out_.size());
    out_.append(static_cast<const char*>(part.iov_base), size);
    taken += size;
    if (size < part.iov_len) break;
  }
  lend(false);
  if (taken == 0) {
    may_write_ = false;
    return {0, net::IoError::kWouldBlock};
  }
  return {taken, net::IoError::kNone};
}

void Tunnel::shutdown_write() {
  if (ending_ || stream_.closed()) return;
  out_.erase(0, out_.size() - stream_.out_.size());
  lend(true);
}

void Tunnel::lend(bool end) {
  ending_ = ending_ || end;
  stream_.lend(out_, ending_);
}

void Tunnel::do_close(bool reset) {
  tell_.cancel();
  if (reset && !stream_.closed())
    stream_.framing_.reset(stream_, ErrorCode::kCancel);
  else
    shutdown_write();
}

}  // namespace weft::http::h2

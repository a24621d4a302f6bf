#include "net/stream.h"

namespace weft::net {

std::string_view to_string(IoError error) {
  switch (error) {
    case IoError::kNone: return "no error";
    case IoError::kWouldBlock: return "would block";
    case IoError::kEnd: return "end of stream";
    case IoError::kReset: return "connection reset";
    case IoError::kTimeout: return "timed out";
    case IoError::kClosed: return "closed";
  }
  return "unknown";
}

Error to_error(IoError error, Blame blame, std::string_view doing) {
  Code code = Code::kInternal;
  Retry retry = Retry::kNever;
  switch (error) {
    case IoError::kEnd:
    case IoError::kReset:
      code = Code::kReset;
      retry = Retry::kFreshConnection;
      break;
    case IoError::kTimeout: code = Code::kTimeout; break;
    case IoError::kClosed: code = Code::kCancelled; break;
    default: break;
  }
  return Error{code, blame, retry, std::string(doing) + ": " + std::string(to_string(error))};
}

bool Stream::took_enough() {
  constexpr std::size_t kTakenAtOnce = 512 * 1024;  // some hundred microseconds of work
  if (taken_ < kTakenAtOnce) return false;
  if (!more_)
    more_ = std::make_unique<Deferred>(loop_, [this] {
      taken_ = 0;
      notify({.readable = true, .writable = false, .ended = false, .broken = false});
    });
  more_->schedule();
  may_read_ = false;
  return true;
}

Stream::Stream(Loop& loop)
    : loop_(loop), read_(loop, [this] { expire(read_); }), write_(loop, [this] { expire(write_); }) {}

Stream::~Stream() {
  if (destroyed_) *destroyed_ = true;
}

void Stream::close(bool reset) {
  if (closed_) return;
  closed_ = true;
  on_broken_ = {};
  if (more_) more_->cancel();
  do_close(reset);
  bool gone = false;
  bool* outer = std::exchange(destroyed_, &gone);
  if (read_.handle) std::exchange(read_.handle, {}).resume();
  if (gone) {
    if (outer) *outer = true;
    return;
  }
  if (write_.handle) std::exchange(write_.handle, {}).resume();
  if (gone) {
    if (outer) *outer = true;
    return;
  }
  destroyed_ = outer;
}

void Stream::notify(ReadyHandler::Ready ready) {
  bool gone = false;
  bool* outer = std::exchange(destroyed_, &gone);
  const auto leave = [&] {
    if (!gone)
      destroyed_ = outer;
    else if (outer)
      *outer = true;
  };
  peer_ended_ = peer_ended_ || ready.ended;
  peer_broken_ = peer_broken_ || ready.broken;
  if (ready.readable) may_read_ = true;
  if (ready.writable) may_write_ = true;
  if (ready.broken && !read_.handle && on_broken_) std::exchange(on_broken_, {})();
  if (!gone && ready.readable && !read_.handle && on_idle_event_) on_idle_event_(ready);
  if (!gone && ready.writable && write_.handle) std::exchange(write_.handle, {}).resume();
  if (!gone && ready.readable && read_.handle) std::exchange(read_.handle, {}).resume();
  leave();
}

void Stream::suspend(Wait& wait, std::coroutine_handle<> handle) {
  WEFT_ASSERT(!wait.handle);
  wait.handle = handle;
  wait.timed_out = false;
  arm(wait);
}

/// An armed timer that fires too early re-arms itself: cheaper than moving it for every wait.
void Stream::arm(Wait& wait) {
  if (wait.deadline != kNever && (!wait.timer.armed() || wait.timer.when() > wait.deadline))
    wait.timer.arm(wait.deadline);
}

IoError Stream::resume(Wait& wait) {
  if (closed_) return IoError::kClosed;
  if (std::exchange(wait.timed_out, false)) return IoError::kTimeout;
  return IoError::kNone;
}

void Stream::expire(Wait& wait) {
  if (!wait.handle || wait.deadline == kNever) return;
  if (wait.deadline > loop_.now()) {
    wait.timer.arm(wait.deadline);
    return;
  }
  wait.timed_out = true;
  std::exchange(wait.handle, {}).resume();
}

Task<IoResult> Stream::read(std::span<char> into) {
  for (;;) {
    if (closed_) co_return IoResult{0, IoError::kClosed};
    const IoResult got = try_read(into);
    if (got.error != IoError::kWouldBlock) co_return got;
    const IoError waited = co_await readable();
    if (waited != IoError::kNone) co_return IoResult{0, waited};
  }
}

Task<IoResult> Stream::write(std::string_view data) {
  std::size_t done = 0;
  while (done < data.size()) {
    if (closed_) co_return IoResult{done, IoError::kClosed};
    const iovec part{const_cast<char*>(data.data() + done), data.size() - done};
    const IoResult sent = try_write(std::span(&part, 1));
    done += sent.bytes;
    if (sent.ok()) continue;
    if (sent.error != IoError::kWouldBlock) co_return IoResult{done, sent.error};
    const IoError waited = co_await writable();
    if (waited != IoError::kNone) co_return IoResult{done, waited};
  }
  co_return IoResult{done, IoError::kNone};
}

}  // namespace weft::net

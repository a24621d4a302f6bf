#include "app/testing/wire.h"

#include <algorithm>
#include <string>

namespace weft::app::testing {

Wire::Wire(net::Loop& loop, std::size_t piece) : piece_(piece), healed_(loop) {
  std::tie(client_, near_) = net::testing::make_pipe(loop);
  std::tie(far_, server_) = net::testing::make_pipe(loop);
  tasks_.spawn(pump(*near_, *far_));
  tasks_.spawn(pump(*far_, *near_));
}

void Wire::fail_after(std::size_t bytes, Fault fault) {
  left_ = bytes;
  fault_ = fault;
  if (bytes == 0 && fault != Fault::kStall) cut(fault == Fault::kReset);
}

void Wire::heal() {
  left_.reset();
  healed_.notify_all();
}

void Wire::cut(bool reset) {
  over_ = true;
  near_->close(reset);
  far_->close(reset);
}

/// False: the connection is over.
net::Task<bool> Wire::may_pass() {
  while (left_ && *left_ == 0 && !over_) {
    if (fault_ == Fault::kStall)
      co_await healed_.wait(kNever);
    else
      cut(fault_ == Fault::kReset);
  }
  co_return !over_;
}

net::Task<void> Wire::pump(PipeEnd& from, PipeEnd& to) {
  std::string block(piece_, '\0');
  for (;;) {
    if (co_await from.readable() != net::IoError::kNone || !co_await may_pass()) co_return;
    const std::size_t most = left_ ? std::min(piece_, *left_) : piece_;
    const net::IoResult got = from.try_read(std::span(block.data(), most));
    if (got.error == net::IoError::kWouldBlock) continue;
    if (!got.ok()) co_return cut(got.error == net::IoError::kReset);
    if (left_) *left_ -= got.bytes;
    if (!(co_await to.write(std::string_view(block.data(), got.bytes))).ok()) co_return cut(true);
  }
}

}  // namespace weft::app::testing

#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "net/task.h"
#include "net/testing/pipe.h"
#include "net/wait_queue.h"

namespace weft::app::testing {

/// A connection in memory whose bytes pass through here, in both directions, so that it can be stalled or cut
/// at any byte.
///
/// Owner: the simulation; the ends belong to the caller that takes them. Thread: the simulated loop. How it
/// ends: when one end has, or it is cut, nothing moves any more and over() says so; the destructor breaks
/// what is left.
class Wire {
 public:
  using PipeEnd = net::testing::PipeEnd;
  /// `piece`: bytes that are moved at once, at most.
  Wire(net::Loop& loop, std::size_t piece);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  std::unique_ptr<PipeEnd> take_client() { return std::move(client_); }
  std::unique_ptr<PipeEnd> take_server() { return std::move(server_); }

  enum class Fault { kStall, kEnd, kReset };
  /// When so many more bytes have passed, in both directions together; 0: at once.
  void fail_after(std::size_t bytes, Fault fault);
  /// What is stalled goes on, and no fault is to come.
  void heal();
  bool over() const { return over_; }

 private:
  net::Task<void> pump(PipeEnd& from, PipeEnd& to);
  net::Task<bool> may_pass();
  void cut(bool reset);

  std::size_t piece_;
  std::optional<std::size_t> left_;  ///< bytes until the fault
  Fault fault_ = Fault::kStall;
  bool over_ = false;
  net::WaitQueue healed_;
  std::unique_ptr<PipeEnd> client_, near_, far_, server_;
  net::TaskScope tasks_;
};

}  // namespace weft::app::testing

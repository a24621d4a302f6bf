#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "net/stream.h"

namespace weft::net::testing {

/// One end of an in-memory connection, for tests on a simulated loop.
///
/// What one end writes the other can read once the loop has settled. `capacity` bounds the bytes in flight in
/// one direction, so back-pressure can be seen. `fragment` bounds the bytes one try_read gives, so every
/// parser can be fed in pieces of 1, 2, 3 ... bytes.
class PipeEnd final : public Stream {
 public:
  PipeEnd(Loop& loop, std::size_t capacity) : Stream(loop), capacity_(capacity) {}
  ~PipeEnd() override;

  IoResult try_read(std::span<char> into) override;
  IoResult try_write(std::span<const iovec> parts) override;
  void shutdown_write() override;
  IoResult peek(std::span<char> into) override;
  bool quiet() override { return !closed() && incoming_.empty() && !end_of_input_ && !reset_; }

  void set_fragment(std::size_t bytes) { fragment_ = bytes; }
  /// Bytes that wait to be read at this end.
  std::size_t pending() const { return incoming_.size(); }
  /// Takes everything that waits, as a test's view of what the other side sent.
  std::string take();

 private:
  friend std::pair<std::unique_ptr<PipeEnd>, std::unique_ptr<PipeEnd>> make_pipe(Loop&, std::size_t);
  void do_close(bool reset) override;
  void wake_peer(bool readable, bool writable, bool ended, bool broken);

  std::size_t capacity_;
  std::size_t fragment_ = ~std::size_t{0};
  std::string incoming_;
  bool end_of_input_ = false;
  bool reset_ = false;
  PipeEnd* peer_ = nullptr;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

std::pair<std::unique_ptr<PipeEnd>, std::unique_ptr<PipeEnd>> make_pipe(Loop& loop,
                                                                        std::size_t capacity = 256 * 1024);

/// Writes `bytes` in pieces of `step`, lets the loop settle after each and drops what has come back; then
/// closes `end`. What does not fit into the pipe is lost.
void send_in_pieces(Loop& loop, PipeEnd& end, std::string_view bytes, std::size_t step);

}  // namespace weft::net::testing

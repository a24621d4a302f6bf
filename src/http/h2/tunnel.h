#pragma once

#include <string>

#include "http/h2/stream.h"
#include "net/stream.h"

namespace weft::http::h2 {

/// A stream of HTTP/2 as a stream of bytes, once a CONNECT or an upgrade was agreed on (RFC 9113 §8.5, RFC
/// 8441). What is written waits in a bounded buffer for the peer's windows.
///
/// Owner: the exchange. Thread: one loop. How it ends: an end of the body is an end in order, RST_STREAM is a
/// broken connection, in both directions.
class Tunnel final : public net::Stream {
 public:
  explicit Tunnel(h2::Stream& stream);
  ~Tunnel() override;

  net::IoResult try_read(std::span<char> into) override;
  net::IoResult try_write(std::span<const iovec> parts) override;
  void shutdown_write() override;
  net::IoResult peek(std::span<char> into) override;
  bool quiet() override;

  /// From the stream: waiting coroutines are told from the loop.
  void moved_in();
  void moved_out();

 private:
  void do_close(bool reset) override;
  void tell();
  net::IoResult look(std::span<char> into);
  void lend(bool end);

  h2::Stream& stream_;
  net::Deferred tell_;
  std::string out_;
  std::size_t read_ = 0;  ///< of the stream's piece
  bool in_moved_ = false, out_moved_ = false, ending_ = false;
};

}  // namespace weft::http::h2

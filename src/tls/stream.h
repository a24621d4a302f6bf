#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "net/socket.h"
#include "net/stream.h"
#include "tls/certificate.h"
#include "tls/context.h"

struct ssl_st;

namespace weft::tls {

/// Where OpenSSL's bytes come from, and how many one call of it may receive: it reads on within the call for
/// as long as records come that bring the application nothing, such as those that change keys (RFC 8446
/// §4.6.3).
struct RawInput {
  const net::Fd& fd;
  std::size_t left = SIZE_MAX;  ///< of the handshake all
  bool exhausted = false;       ///< nothing was received because nothing was left
  void allow(std::size_t bytes) {
    left = bytes;
    exhausted = false;
  }
};

/// A connection under TLS (RFC 8446, RFC 5246) as a Stream of the bytes inside.
///
/// Owner: one connection. Thread: one loop. Memory: OpenSSL's record buffers, at most 34 KB, given back while
/// idle. An end without close_notify is kReset: what came before may be cut off (RFC 8446 §6.1).
/// shutdown_write() and close() send close_notify if the socket takes it at once.
class Stream final : public net::Stream, private net::ReadyHandler {
 public:
  /// A stream that has yet to shake hands. Errors: kExhausted; kInvalid for a name that cannot be asked for.
  static Result<std::unique_ptr<Stream>> wrap(std::unique_ptr<net::Socket> socket,
                                              std::shared_ptr<const Context> context);
  ~Stream() override;
  /// Once, before anything else. Errors: see handshake(); kCancelled after close().
  net::Task<Result<void>> shake_hands(TimePoint deadline);

  net::IoResult try_read(std::span<char> into) override;
  net::IoResult try_write(std::span<const iovec> parts) override;
  void shutdown_write() override;
  net::IoResult peek(std::span<char> into) override;
  bool delivered() const override { return net::delivered(fd_.get()); }
  /// Records that hold no bytes of the application, a session ticket say, do not count.
  bool quiet() override;

  /// What was agreed on by ALPN; empty: nothing.
  std::string protocol() const;
  std::string version() const;  ///< "TLSv1.3"
  /// The peer's own certificate; nothing when it showed none.
  std::optional<CertificateInfo> peer_certificate() const;
  net::Address peer_address() const { return peer_; }

 private:
  Stream(net::Loop& loop, net::Fd fd, std::shared_ptr<const Context> context);
  Result<void> start();
  Error handshake_error(int error) const;
  net::IoResult outcome(int error, bool reading);
  /// After OpenSSL has read for us and given nothing.
  net::IoResult nothing_read(int done);
  void on_ready(Ready ready) override;
  void do_close(bool reset) override;

  net::Fd fd_;
  RawInput input_{fd_};
  net::FdWatch watch_;
  net::Address peer_;
  std::shared_ptr<const Context> context_;
  std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
  bool established_ = false, broken_ = false;
};

/// Takes a connected socket and shakes hands, as server or client as the context says. Errors: kTimeout after
/// `deadline`; kReset; kDenied when a certificate is missing or not trusted, with the reason; kInvalid when
/// the peer does not speak TLS. Blame: the peer's side.
net::Task<Result<std::unique_ptr<Stream>>> handshake(std::unique_ptr<net::Socket> socket,
                                                     std::shared_ptr<const Context> context,
                                                     TimePoint deadline);

}  // namespace weft::tls

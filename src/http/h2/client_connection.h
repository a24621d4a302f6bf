#pragma once

#include <functional>
#include <memory>

#include "http/client_session.h"
#include "http/h2/client_stream.h"
#include "http/h2/connection.h"

namespace weft::http::h2 {

/// What one connection to a server is held to.
struct ClientLimits {
  Limits limits = {};
  Http2Limits http2 = {};  ///< `max_concurrent_streams`: the server may allow fewer, and has to offer what
                           ///< `extended_connect` allows
};

/// One HTTP/2 connection to a server that is known to speak it (RFC 9113 §3.3), for as many requests at once
/// as the server lets. Exchanges know nothing of each other: one that is cancelled resets its own stream.
///
/// Owner: a pool, or the one that connected. Thread: one loop. How it ends: the destructor says GOAWAY and
/// closes the stream; no exchange may be left then.
class ClientConnection final : public ClientSession,
                               private ClientLimits,
                               private Connection,
                               private ClientStream::Owner {
 public:
  explicit ClientConnection(std::unique_ptr<net::Stream> stream, const ClientLimits& limits = {});
  ~ClientConnection() override;

  std::uint32_t capacity() const override;
  bool settled() const override { return settings_known_ || over(); }
  bool over() const override;
  ClientExchange& start() override;
  void finish(ClientExchange& exchange) override;
  std::uint32_t exchanges() const override { return exchanges_; }
  void park() override { parked_ = true; }
  void on_change(std::function<void()> action) override { on_change_ = std::move(action); }
  net::Stream& stream() { return *stream_; }

 private:
  const Limits& limits() const override { return ClientLimits::limits; }
  ResponseReader& reader() override { return reader_; }
  bool settings_known() const override { return settings_known_; }
  bool may_begin() const override;

  Stream* on_request_begins(std::int32_t) override { return nullptr; }
  void on_settings() override;
  void on_goaway(std::int32_t last_id, ErrorCode code) override;
  bool on_fed() override;
  TimePoint next_due() const override { return kNever; }
  void on_time(TimePoint) override;
  Duration write_timeout() const override;

  net::Task<void> run();

  std::unique_ptr<net::Stream> stream_;
  ResponseReader reader_;
  ClientStream* streams_ = nullptr;
  std::uint32_t active_ = 0, exchanges_ = 0;
  bool settings_known_ = false, going_away_ = false, broken_ = false, parked_ = false;
  std::function<void()> on_change_;
  net::Deferred change_;
  net::TaskScope tasks_;
};

}  // namespace weft::http::h2

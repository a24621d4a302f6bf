#pragma once

#include <memory>
#include <utility>

#include "http/client_session.h"

namespace weft::proxy {

/// A TCP connection as the exchange of one CONNECT (RFC 9110 §9.3.6): that it was made is the success which
/// the client is told, and behind that head its bytes are the tunnel. Nothing of the request is sent.
///
/// Owner: an UpstreamConnection. Thread: the worker's loop. How it ends: the destructor closes the stream.
class TcpSession final : public http::ClientSession, private http::ClientExchange {
 public:
  explicit TcpSession(std::unique_ptr<net::Stream> stream) : stream_(std::move(stream)) {}
  ~TcpSession() override { stream_->close(); }

  std::uint32_t capacity() const override { return begun_ ? 0 : 1; }
  bool over() const override { return begun_; }
  http::ClientExchange& start() override {
    begun_ = true;
    return *this;
  }
  void finish(http::ClientExchange&) override { stream_->close(true); }
  std::uint32_t exchanges() const override { return begun_ ? 1 : 0; }
  void park() override {}
  void on_change(std::function<void()>) override {}

 private:
  net::Task<Result<void>> send_head(const http::RequestHead&, bool) override { return nothing(); }
  net::Task<Result<void>> send_body(std::string_view, bool) override { return nothing(); }
  net::Task<Result<void>> send_trailers(const http::Headers&) override { return nothing(); }
  net::Task<Result<void>> flush() override { return nothing(); }
  bool request_complete() const override { return true; }
  net::Task<Result<void>> read_head(http::ResponseHead& into) override {
    into.clear();
    into.status = 200;
    return nothing();
  }
  bool response_complete() const override { return false; }
  bool body_available() const override { return false; }
  net::Task<Result<http::BodyChunk>> read_body() override { co_return http::BodyChunk{{}, true}; }
  http::ServerExchange::Upgraded upgrade() override { return {stream_.get(), {}}; }
  void set_read_deadline(TimePoint when) override { stream_->set_read_deadline(when); }
  void set_write_limits(Duration, TimePoint) override {}
  void cancel() override { stream_->close(true); }
  bool reused() const override { return false; }
  bool response_begun() const override { return true; }
  Taken taken() const override { return Taken::kPerhaps; }

  static net::Task<Result<void>> nothing() { co_return Result<void>{}; }

  std::unique_ptr<net::Stream> stream_;
  bool begun_ = false;
};

}  // namespace weft::proxy

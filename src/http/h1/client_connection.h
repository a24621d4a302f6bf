#pragma once

#include <memory>
#include <string>

#include "http/client_session.h"
#include "http/h1/body_decoder.h"
#include "http/h1/encoder.h"
#include "http/h1/head_parser.h"
#include "http/h1/outbox.h"
#include "http/h1/read_buffer.h"

namespace weft::http::h1 {

/// One HTTP/1 connection to a server, for one request at a time, many one after another.
///
/// Owner: a pool, or the caller that connected. Thread: one loop. Deadlines are those of the stream, which
/// the owner sets. How it ends: the destructor closes the stream.
class ClientConnection final : public ClientSession, private ClientExchange {
 public:
  explicit ClientConnection(std::unique_ptr<net::Stream> stream, const Limits& limits = {});
  ~ClientConnection() override;

  std::uint32_t capacity() const override { return usable() ? 1 : 0; }
  bool over() const override { return !in_progress_ && !usable(); }
  ClientExchange& start() override;
  void finish(ClientExchange& exchange) override;
  void on_change(std::function<void()> action) override;
  void park() override {
    input_.release();
    decoder_.forget_trailers();
    parked_ = true;
  }
  /// The last exchange is over, in order, and nothing has happened on the connection since: no byte has come
  /// that no request has asked for.
  bool usable() const;
  std::uint32_t exchanges() const override { return exchanges_; }
  net::Stream& stream() { return *stream_; }
  /// Bodies only, of the exchange in progress.
  std::uint64_t body_bytes_sent() const { return sent_; }
  std::uint64_t body_bytes_received() const { return received_; }

 private:
  net::Task<Result<void>> send_head(const RequestHead& head, bool end) override;
  net::Task<Result<void>> send_body(std::string_view data, bool end) override;
  net::Task<Result<void>> send_trailers(const Headers& trailers) override;
  net::Task<Result<void>> flush() override;
  bool request_complete() const override { return request_sent_; }
  net::Task<Result<void>> read_head(ResponseHead& into) override;
  bool response_complete() const override { return head_read_ && decoder_.done(); }
  bool body_available() const override { return decoder_.done() || !input_.empty(); }
  net::Task<Result<BodyChunk>> read_body() override;
  ServerExchange::Upgraded upgrade() override;
  void set_read_deadline(TimePoint when) override { stream_->set_read_deadline(when); }
  void set_write_limits(Duration standstill, TimePoint end) override {
    out_.set_standstill(standstill);
    out_.set_deadline(end);
  }
  void cancel() override { stream_->close(true); }
  bool reused() const override { return exchanges_ > 1 || parked_; }
  bool response_begun() const override { return head_started_ || head_read_; }
  Taken taken() const override { return stream_->delivered() ? Taken::kPerhaps : Taken::kHardly; }

  bool between_exchanges() const;
  bool write_head(const RequestHead& head);
  Result<void> take_accept(ResponseHead& head);
  Result<void> outcome(net::IoError error);
  net::Task<net::IoError> fill();
  Error read_error(net::IoError error, std::string_view doing) const;

  std::unique_ptr<net::Stream> stream_;
  ReadBuffer input_;
  ResponseParser parser_;
  BodyDecoder decoder_;
  Outbox out_;
  std::string expected_accept_;  ///< of the server, for a key of our own (websocket.h)
  std::uint64_t sent_ = 0, received_ = 0, length_left_ = 0;
  unsigned pieces_ = 0;  ///< of all bodies, for turns.h
  std::uint32_t exchanges_ = 0;
  BodyForm body_form_ = BodyForm::kNone;
  bool in_progress_ = false;  ///< between start() and finish()
  ResponseParser::Asked asked_ = ResponseParser::Asked::kMessage;
  bool in_exchange_ = false, head_started_ = false, head_read_ = false, head_sent_ = false,
       request_sent_ = false;
  bool broken_ = false;
  bool parked_ = false;  ///< it has waited in a pool
};

}  // namespace weft::http::h1

#pragma once

#include <memory>
#include <string>

#include "http/exchange.h"
#include "http/h1/body_decoder.h"
#include "http/h1/encoder.h"
#include "http/h1/head_parser.h"
#include "http/h1/outbox.h"
#include "http/h1/read_buffer.h"
#include "http/server_session.h"
#include "http/spare_heads.h"

namespace weft::http::h1 {

/// One HTTP/1 connection from a client: reads a head, calls the handler, and again, until either side has
/// enough. A message in which the framing could be doubted is rejected and the connection ended (RFC 9112
/// §11.2); the bytes behind it are never read as a request.
///
/// Owner: the server that accepted the stream, which must outlive this. Thread: one loop.
/// How it ends: serve() returns; or its task is destroyed.
class ServerConnection final : public ServerSession, private ServerExchange {
 public:
  ServerConnection(net::Stream& stream, const ServerSessionOptions& options, Observer* observer = nullptr);
  ~ServerConnection() override;

  net::Task<void> serve(const Handler& handler) override;
  void drain() override;
  void end_with_next_response() override {
    if (drain_ == Drain::kNo) drain_ = Drain::kWithNextResponse;
  }
  void follow_options() override;
  bool is_idle() const override { return phase_ != Phase::kServing && phase_ != Phase::kUpgraded; }
  TimePoint idle_since() const override { return idle_since_; }

 private:
  RequestHead& request() override { return heads_->request; }
  ResponseHead& response() override { return heads_->response; }
  const Rejection& rejection() const override { return body_rejection_; }
  bool request_complete() const override { return decoder_.done(); }
  bool body_available() const override { return decoder_.done() || !input_.empty(); }
  net::Task<Result<BodyChunk>> read_body() override;
  void set_body_timeout(Duration between_pieces) override;
  net::Task<Result<void>> send_interim(const ResponseHead& head) override;
  net::Task<Result<void>> send_head(const ResponseHead& head, bool end) override;
  net::Task<Result<void>> send_body(std::string_view data, bool end) override;
  net::Task<Result<void>> send_trailers(const Headers& trailers) override;
  net::Task<Result<void>> flush() override;
  void set_response_deadline(TimePoint when) override { out_.set_deadline(when); }
  bool response_started() const override { return response_ != Response::kNone; }
  bool response_complete() const override { return response_ == Response::kComplete; }
  void reset() override;
  Upgraded upgrade() override;
  void on_disconnect(std::function<void()> action) override { on_disconnect_ = std::move(action); }
  std::uint64_t body_bytes_received() const override { return received_; }
  std::uint64_t body_bytes_sent() const override { return sent_; }

  enum class Head : std::uint8_t { kRead, kRejected, kOver };
  /// kIdle ─ a byte ─► kHead ─ the rest ─► kServing ─ the handler is done, the client not ─► kDiscarding ─┐
  ///   ▲                                    │   └─ 101 ─► kUpgraded (the end)                             │
  ///   └────────────────────────────────────┴─────────────────────────────────────────────────────────────┘
  enum class Phase : std::uint8_t { kIdle, kHead, kServing, kDiscarding, kUpgraded };
  enum class Response : std::uint8_t { kNone, kStarted, kComplete };
  enum class Client : std::uint8_t {
    kThere,
    kHalfClosed,   ///< it has ended its side behind a request that it said was its last
    kLeftInOrder,  ///< it has ended its side, and no response is wanted
    kGone,         ///< the connection broke
  };
  enum class Drain : std::uint8_t { kNo, kWithNextResponse, kNow };
  bool client_disconnected() const { return client_ == Client::kLeftInOrder || client_ == Client::kGone; }
  bool half_closed() const { return client_ == Client::kHalfClosed || client_ == Client::kLeftInOrder; }
  bool waits_for_first_request() const {
    return requests_ == 0 && stream_.loop().now() < idle_since_ + kNewConnectionGrace;
  }
  /// Behind the request. It may cost a system call: where the connection is about to end.
  bool nothing_has_come() const { return input_.empty() && stream_.quiet(); }
  net::Task<Head> read_head();
  net::Task<bool> wait_for_request();
  net::Task<void> finish_exchange();
  bool end_shows_the_cut() const;
  net::Task<bool> discard_request();
  net::Task<void> reject(Rejection rejection);
  net::Task<void> linger();
  net::Task<Result<void>> send_continue();
  TimePoint body_deadline() const;
  Result<void> outcome(net::IoError error, bool completes);
  Result<void> count_body(std::size_t bytes, bool end);
  void begin_exchange();
  void begin_to_idle();
  ResponseForm form_for(const ResponseHead& head, bool end);
  bool write_head(const ResponseHead& head, const ResponseForm& form);
  void on_idle_event(net::ReadyHandler::Ready ready);
  void notice_end();

  net::Stream& stream_;
  const ServerSessionOptions& options_;
  Observer* observer_;
  ReadBuffer input_;
  RequestParser parser_;
  BodyDecoder decoder_;
  std::unique_ptr<SpareHeads> heads_;  ///< null while no request is there
  Outbox out_;
  net::Deferred* cancel_handler_ = nullptr;
  std::unique_ptr<net::Deferred> ended_;  ///< there once the end had come with a request
  Duration body_timeout_{};
  TimePoint idle_since_;
  std::function<void()> on_disconnect_;
  std::uint64_t received_ = 0, sent_ = 0;
  unsigned pieces_ = 0;  ///< of all bodies, for turns.h
  std::uint64_t length_left_ = 0;
  TimePoint request_deadline_ = kNever, discard_deadline_ = kNever;
  std::uint32_t requests_ = 0;
  BodyForm body_form_ = BodyForm::kNone;
  Rejection body_rejection_;
  Phase phase_ = Phase::kIdle;
  Response response_ = Response::kNone;
  Client client_ = Client::kThere;
  Drain drain_ = Drain::kNo;
  bool keep_alive_ = false, reset_ = false, continue_wanted_ = false, to_head_ = false;
};

}  // namespace weft::http::h1

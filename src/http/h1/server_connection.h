#pragma once

#include <memory>
#include <string>

#include "http/exchange.h"
#include "http/h1/body_decoder.h"
#include "http/h1/encoder.h"
#include "http/h1/head_parser.h"
#include "http/h1/outbox.h"
#include "http/h1/read_buffer.h"

namespace weft::http::h1 {

/// What one downstream connection is held to. 0 durations: no limit.
struct ServerConnectionOptions {
  Limits limits = {};
  std::string_view scheme = "http";
  bool accept_http10 = true;         ///< else 426
  Duration idle_timeout = 3600s;     ///< between requests
  Duration first_byte_timeout = 0s;  ///< for the first byte of the first request; 0: idle_timeout
  Duration header_timeout = 10s;     ///< from the first byte of a head to its end
  Duration body_timeout = 300s;      ///< between two pieces of a body, in each direction
  Duration request_timeout = 0s;     ///< from the end of a head to the end of its body
  std::uint32_t max_requests = 0;    ///< then the connection is closed; 0: no limit
  std::string server_name = {};      ///< "server" field of refusals; empty: none
  /// The handler of a GET or HEAD is destroyed where it waits when its client has gone: a watch, say, that
  /// would wait for the next event. Handlers that change something go on to their end.
  bool cancel_reads_when_gone = false;
};

/// One HTTP/1 connection from a client: reads a head, calls the handler, and again, until either side has
/// enough. A message in which the framing could be doubted is refused and the connection ended (RFC 9112
/// §11.2); the bytes behind it are never read as a request.
///
/// Owner: whoever accepted the stream, which must outlive this. Thread: one loop.
/// How it ends: serve() returns; or its task is destroyed.
class ServerConnection final : private ServerExchange {
 public:
  /// What the owner is told. Called on the loop; none may destroy the connection.
  class Observer {
   public:
    virtual ~Observer() = default;
    /// The bytes of a request were refused before any handler saw it. `head` holds what was understood.
    virtual void on_refused(const Refusal& refusal, const RequestHead& head) = 0;
    /// A response is out: until the next request the connection may be closed without a loss. It may be said
    /// twice of one request.
    virtual void on_idle() {}
  };

  ServerConnection(net::Stream& stream, const ServerConnectionOptions& options, Observer* observer = nullptr);
  ~ServerConnection() override;

  /// Serves until the connection is over. The stream is closed when it returns.
  net::Task<void> serve(const Handler& handler);
  /// Closes now when idle, else after the answer in progress, which says "Connection: close".
  void drain();
  /// Each answer from now on says "Connection: close" and ends the connection; an idle connection stays open
  /// for its next request, so that none is lost on its way.
  void end_with_next_answer() {
    if (drain_ == Drain::kNo) drain_ = Drain::kWithNextResponse;
  }
  /// The options have changed where they are: limits hold from the next head on, the rest from now on.
  void follow_options();
  bool in_request() const { return phase_ != Phase::kIdle; }
  /// No request, or one whose response is out: what its client still sends nobody reads for its sake.
  bool is_idle() const { return phase_ == Phase::kIdle || phase_ == Phase::kDiscarding; }
  /// When the last response was out, or the connection began.
  TimePoint idle_since() const { return idle_since_; }

 private:
  RequestHead& request() override { return head_; }
  bool request_complete() const override { return decoder_.done(); }
  bool body_available() const override { return decoder_.done() || !input_.empty(); }
  net::Task<Result<BodyChunk>> read_body() override;
  void set_body_timeout(Duration between_pieces) override { body_timeout_ = between_pieces; }
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

  enum class Head : std::uint8_t { kRead, kRefused, kOver };
  /// kIdle ─ a head has come ─► kServing ─ the handler is done, the body is not ─► kDiscarding ─┐
  ///   ▲                          │   └─ 101 ─► kUpgraded (the end)                             │
  ///   └──────────────────────────┴─────────────────────────────────────────────────────────────┘
  enum class Phase : std::uint8_t { kIdle, kServing, kDiscarding, kUpgraded };
  enum class Response : std::uint8_t { kNone, kStarted, kComplete };
  enum class Client : std::uint8_t {
    kThere,
    kHalfClosed,   ///< it has ended its side behind a request that it said was its last
    kLeftInOrder,  ///< it has ended its side, and no response is wanted
    kGone,         ///< the connection broke
  };
  enum class Drain : std::uint8_t { kNo, kWithNextResponse, kNow };
  bool client_gone() const { return client_ == Client::kLeftInOrder || client_ == Client::kGone; }
  bool half_closed() const { return client_ == Client::kHalfClosed || client_ == Client::kLeftInOrder; }
  net::Task<Head> read_head();
  net::Task<bool> wait_for_request();
  net::Task<void> finish_exchange();
  bool end_shows_the_cut() const;
  net::Task<bool> discard_request();
  net::Task<void> refuse(Refusal refusal);
  net::Task<void> linger();
  net::Task<Result<void>> send_continue();
  net::Task<void> run_until_gone(const Handler& handler);
  TimePoint body_deadline() const;
  Result<void> outcome(net::IoError error, bool completes);
  Result<void> count_body(std::size_t bytes, bool end);
  void begin_exchange();
  void begin_to_idle();
  ResponseForm form_for(const ResponseHead& head, bool end);
  void on_unattended(net::ReadyHandler::Ready ready);

  net::Stream& stream_;
  const ServerConnectionOptions& options_;
  Observer* observer_;
  ReadBuffer input_;
  RequestParser parser_;
  BodyDecoder decoder_;
  RequestHead head_;
  Outbox out_;
  net::Deferred* cancel_handler_ = nullptr;
  Duration body_timeout_{};
  TimePoint idle_since_;
  std::function<void()> on_disconnect_;
  std::uint64_t received_ = 0, sent_ = 0;
  unsigned pieces_ = 0;  ///< of all bodies, for turns.h
  std::uint64_t length_left_ = 0;
  TimePoint request_deadline_ = kNever, discard_deadline_ = kNever;
  std::uint32_t requests_ = 0;
  BodyForm body_form_ = BodyForm::kNone;
  Refusal body_refusal_;
  Phase phase_ = Phase::kIdle;
  Response response_ = Response::kNone;
  Client client_ = Client::kThere;
  Drain drain_ = Drain::kNo;
  bool keep_alive_ = false, reset_ = false, continue_wanted_ = false, to_head_ = false;
};

}  // namespace weft::http::h1

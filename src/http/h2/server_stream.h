#pragma once

#include <memory>
#include <string>

#include "http/exchange.h"
#include "http/h2/head_reader.h"
#include "http/h2/stream.h"
#include "http/h2/tunnel.h"
#include "http/server_session.h"
#include "http/spare_heads.h"

namespace weft::http::h2 {

/// One request of an HTTP/2 connection and its response.
///
/// Owner: the connection, until the handler has ended. Thread: one loop.
class ServerStream final : public Stream, public ServerExchange {
 public:
  /// What the stream wants of its connection.
  class Owner {
   public:
    virtual const ServerSessionOptions& options() const = 0;
    /// Reads the head, or the trailers, that come now.
    virtual RequestReader& reader() = 0;
    /// The head has come, or the stream will have none: look at it when nghttp2 is left.
    virtual void on_head_read(ServerStream& stream) = 0;
    virtual void on_body_rejected(const Rejection& rejection) = 0;

   protected:
    ~Owner() = default;
  };

  ServerStream(net::Loop& loop, Framing& framing, Owner& owner, std::int32_t id);
  ~ServerStream() override;

  /// Why the head is rejected; empty: a handler is due.
  const Rejection& head_rejection() const { return head_rejection_; }
  bool over() const { return closed(); }
  /// Calls the handler, and cancels it when the client has gone.
  net::Task<void> run_until_gone(const Handler& handler);
  /// Whether the handler has left nothing undone.
  bool finished() const { return response_ == Response::kComplete && closed(); }
  /// After the handler: what it left undone.
  net::Task<void> finish();
  /// A local reply, instead of a handler.
  net::Task<void> reject();

  void on_head_begins() override;
  bool on_field(std::string_view name, std::string_view value) override;
  void on_head(bool end) override;
  void on_malformed(const Rejection& rejection) override;
  void on_closed(ErrorCode code) override;

  RequestHead& request() override { return heads_->request; }
  ResponseHead& response() override { return heads_->response; }
  /// What follows the head of a tunnel is not of the request.
  bool request_complete() const override { return asked_ == Asked::kTunnel || read_to_the_end(); }
  bool body_available() const override { return request_complete() || readable(); }
  net::Task<Result<BodyChunk>> read_body() override;
  void set_body_timeout(Duration between_pieces) override;
  const Rejection& rejection() const override { return body_rejection_; }
  net::Task<Result<void>> send_interim(const ResponseHead& head) override;
  net::Task<Result<void>> send_head(const ResponseHead& head, bool end) override;
  net::Task<Result<void>> send_body(std::string_view data, bool end) override;
  net::Task<Result<void>> send_trailers(const Headers& trailers) override;
  net::Task<Result<void>> flush() override;
  void set_response_deadline(TimePoint when) override;
  bool response_started() const override { return response_ != Response::kNone; }
  bool response_complete() const override { return response_ == Response::kComplete; }
  void reset() override;
  Upgraded upgrade() override;
  void on_disconnect(std::function<void()> action) override;
  std::uint64_t body_bytes_received() const override { return received_; }
  std::uint64_t body_bytes_sent() const override { return sent_; }
  std::string_view reset_code() const override { return name_of_reset(); }

  ServerStream* next = nullptr;  ///< in the connection's list
  ServerStream* previous = nullptr;

 private:
  /// What a response means to the client: behind one to HEAD nothing comes, behind a success of CONNECT,
  /// extended or not, the tunnel.
  enum class Asked : std::uint8_t { kMessage, kHead, kTunnel };
  /// kNone ─ the head is sent ─► kStarted ──────────────────────┬─ its end ─► kComplete
  ///   └── and is the response, whatever its handler sends ─► kHeadOnly ─┘
  enum class Response : std::uint8_t { kNone, kStarted, kHeadOnly, kComplete };

  bool gone() const { return closed() && !local_ended(); }
  bool sending() const { return response_ == Response::kStarted || response_ == Response::kHeadOnly; }
  Error disconnected_error(std::string_view doing) const;
  TimePoint body_deadline() const;
  TimePoint write_deadline() const;
  Result<void> count_body(std::size_t bytes, bool end);
  net::Task<Result<void>> send_continue();
  net::Task<Result<void>> wait_until_sent();
  void on_client_disconnected();
  void complete_response();

  Owner& owner_;
  std::unique_ptr<SpareHeads> heads_ = SpareHeads::borrow();
  std::unique_ptr<Tunnel> tunnel_owner_;
  std::function<void()> on_disconnect_;
  net::Deferred gone_;
  net::Deferred* cancel_handler_ = nullptr;
  Duration body_timeout_;
  TimePoint request_deadline_ = kNever, response_deadline_ = kNever;
  std::optional<std::uint64_t> length_left_;
  unsigned pieces_ = 0;
  Rejection head_rejection_, body_rejection_;
  Response response_ = Response::kNone;
  Asked asked_ = Asked::kMessage;
  bool head_read_ = false, continue_wanted_ = false;
};

}  // namespace weft::http::h2

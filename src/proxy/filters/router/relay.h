#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "http/exchange.h"
#include "proxy/filters/router/deadlines.h"
#include "proxy/filters/router/request_body.h"
#include "proxy/filters/router/try_failure.h"
#include "proxy/stats/counters.h"

namespace weft::proxy {

class HttpStream;
struct LocalReply;

/// The messages of one try: the request to an endpoint, its response to the client, and what both become
/// after a 101.
///
///   kOpen ─ the response is over, or has failed ─► kResponded
///     └─ 101 ─► kTunnelling ─ both sides are over ──┘
///
/// Owner: the coroutine of the try; what it is given outlives it. Thread: the worker's loop. How it ends:
/// run() returns; or its task is destroyed.
class Relay {
 public:
  /// What tries endpoints one after another.
  class Observer {
   public:
    virtual ~Observer() = default;
    /// Whether that response is dropped, and asked for again.
    virtual bool asks_again(const http::ResponseHead& response) = 0;
    /// The request has come whole: its response's time begins.
    virtual void on_request_whole() = 0;
    /// The endpoint has done its part; the end of the response is about to go to the client.
    virtual void on_endpoint_done() = 0;
  };
  struct Parts {
    HttpStream& stream;
    http::ClientExchange& upstream;
    RequestBody& body;
    Deadlines& deadlines;
    ClusterCounters& counters;
    Observer& observer;
    bool has_retry_policy = false;   ///< what is read of the body is kept for another try
    bool shares_connection = false;  ///< until a response begins likewise: see ClientExchange::Taken::kNot
  };
  explicit Relay(const Parts& parts);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// kNone: the exchange is over, with the endpoint's response, or with a local reply that no other try could
  /// better.
  net::Task<TryFailure> run();
  /// Of kNone: what the endpoint has responded, whatever the client has seen of it; 0: nothing.
  int endpoint_status() const { return endpoint_status_; }
  /// Of what run() returned: UPSTREAM_TRANSPORT_FAILURE_REASON.
  const std::string& failure_text() const { return failure_text_; }
  /// Likewise, for kReset: how a call is told of it; nullopt: as of any other.
  std::optional<int> grpc_status() const { return grpc_status_; }
  /// The connection had served before, and ended before any byte of a response.
  bool unanswered() const { return unanswered_; }

 private:
  enum class Phase : std::uint8_t { kOpen, kTunnelling, kResponded };
  net::Task<TryFailure> send_whole();
  net::Task<TryFailure> send_and_receive();
  net::Task<TryFailure> end_without_request(const Error& why);
  net::Task<Result<void>> send_body();
  net::Task<Result<void>> send_again();
  net::Task<Result<void>> send_piece(const http::BodyChunk& chunk);
  Result<void> stopped(Result<void> sent) const;
  net::Task<Result<void>> receive(TryFailure& failure);
  net::Task<TryFailure> read_response();
  void prepare_response();
  net::Task<TryFailure> relay_response();
  net::Task<void> end_response(const Error& why);
  [[nodiscard]] bool may_say_status() const;
  net::Task<void> end_call(int status, std::string_view message);
  void tell_reset();
  const LocalReply& tell_time_passed();
  void cut_response(const Error& why);
  net::Task<TryFailure> run_tunnel();
  TryFailure failure_of(const Error& error);
  void set_deadlines();
  void keep_client_waiting();
  bool cancelled() const;
  net::Loop& loop() const;

  HttpStream& stream_;
  http::ServerExchange& exchange_;
  http::ClientExchange& upstream_;
  RequestBody& body_;
  Deadlines& deadlines_;
  ClusterCounters& counters_;
  Observer& observer_;
  bool has_retry_policy_, shares_connection_;
  Phase phase_ = Phase::kOpen;
  bool unanswered_ = false;
  int endpoint_status_ = 0;
  TimePoint sent_at_;
  std::string failure_text_;
  std::optional<int> grpc_status_;
};

}  // namespace weft::proxy

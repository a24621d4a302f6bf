#include "proxy/filters/router/relay.h"

#include <algorithm>
#include <utility>

#include "http/grpc/stream.h"
#include "proxy/filters/router/request_time.h"
#include "proxy/filters/router/retry_policy.h"
#include "proxy/listener/downstream_connection.h"
#include "proxy/listener/tunnel.h"
#include "proxy/request/grpc.h"
#include "proxy/request/http_stream.h"
#include "proxy/request/local_reply.h"

namespace weft::proxy {
namespace {

using http::HeaderId;

constexpr int kMaxInterims = 8;
/// How long an endpoint that has responded may leave the rest of the request waiting.
constexpr Duration kPieceAfterResponse = 5s;

bool is_success(int status) { return status >= 200 && status < 300; }

/// What breaks a rule of the protocol is INTERNAL, and a connection that is lost UNAVAILABLE, as without a
/// proxy.
int status_of_lost_call(Code code) {
  if (code == Code::kInvalid || code == Code::kTooLarge) return http::grpc::kInternal;
  return grpc_status_of_reset(code).value_or(http::grpc::kUnavailable);
}

/// RFC 8441 §4: to a client of HTTP/2 any success says that its stream is what it asked for. A server of
/// HTTP/1 may ignore an Upgrade, and respond to the GET.
bool claims_an_upgrade(const http::RequestHead& request, const http::ResponseHead& response) {
  return is_success(response.status) && request.version == http::Version::k2 && !request.upgrade.empty();
}

Result<void> stop() { return fail(Error::internal(Code::kCancelled, "the other direction decides")); }

}  // namespace

Relay::Relay(const Parts& parts)
    : stream_(parts.stream),
      exchange_(parts.stream.exchange()),
      upstream_(parts.upstream),
      body_(parts.body),
      deadlines_(parts.deadlines),
      counters_(parts.counters),
      observer_(parts.observer),
      has_retry_policy_(parts.has_retry_policy),
      shares_connection_(parts.shares_connection),
      sent_at_(loop().now()) {}

net::Loop& Relay::loop() const { return stream_.loop(); }

bool Relay::cancelled() const { return stream_.cancellation().requested(); }

/// Called for every piece of either body.
void Relay::set_deadlines() {
  const TimePoint now = loop().now();
  if (phase_ == Phase::kResponded) return upstream_.set_write_limits(kPieceAfterResponse, deadlines_.end());
  const bool started = exchange_.response_started();
  upstream_.set_read_deadline(deadlines_.for_reading(now, body_.read, started));
  upstream_.set_write_limits(deadlines_.idle_or_stall(), deadlines_.for_writing(started));
}

/// A piece of the response has passed: a client that owes the rest of its request is not idle meanwhile.
void Relay::keep_client_waiting() {
  if (!body_.read && deadlines_.idle().count()) exchange_.set_body_timeout(deadlines_.idle());
}

net::Task<TryFailure> Relay::run() {
  set_deadlines();
  return body_.none() ? send_whole() : send_and_receive();
}

net::Task<TryFailure> Relay::send_whole() {
  const Result<void> sent = co_await upstream_.send_head(exchange_.request(), true);
  if (!sent) co_return failure_of(sent.error());
  co_return co_await read_response();
}

/// With a body both directions go on at once: an upstream may respond before it has read everything, or never
/// read.
net::Task<TryFailure> Relay::send_and_receive() {
  const Result<void> head = co_await upstream_.send_head(exchange_.request(), false);
  if (!head) co_return failure_of(head.error());
  TryFailure failure = TryFailure::kNone;
  const Result<void> both = co_await net::both(send_body(), receive(failure));
  if (phase_ == Phase::kResponded || both) co_return failure;
  if (both.error().blame == Blame::kDownstream) co_return co_await end_without_request(both.error());
  co_return failure_of(both.error());
}

/// The client does not send the rest of its request.
net::Task<TryFailure> Relay::end_without_request(const Error& why) {
  failure_text_ = why.text;
  if (why.code == Code::kTimeout && stream_.overdue()) co_return TryFailure::kOverdue;
  const bool malformed = why.code == Code::kInvalid || why.code == Code::kTooLarge;
  if (!malformed && why.code != Code::kTimeout) co_return TryFailure::kClient;
  if (!exchange_.response_started()) stream_.response().clear();
  LocalReplyKind kind = malformed ? LocalReplyKind::kRequestMalformed : LocalReplyKind::kRequestIdle;
  if (why.code == Code::kTooLarge) kind = LocalReplyKind::kRequestFieldsTooLarge;
  co_await stream_.reply(kind);
  co_return TryFailure::kNone;
}

/// A server that has responded may have stopped reading: its response decides, and this is no failure. One
/// that takes nothing for too long is.
Result<void> Relay::stopped(Result<void> sent) const {
  const bool failed = sent.error().code == Code::kTimeout && phase_ != Phase::kResponded;
  return failed ? std::move(sent) : Result<void>{};
}

/// The request's body: first what an earlier try had already read, then the rest.
net::Task<Result<void>> Relay::send_body() {
  if (!body_.replay.empty() || body_.read) {
    Result<void> sent = co_await send_again();
    if (!sent) co_return stopped(std::move(sent));
  }
  const bool needed_again =
      has_retry_policy_ || (upstream_.reused() && is_idempotent(exchange_.request().method));
  while (!body_.read) {
    if (phase_ == Phase::kResponded && deadlines_.ended(loop().now())) co_return stop();
    if (!exchange_.body_available()) static_cast<void>(co_await upstream_.flush());
    WEFT_CO_TRY(const http::BodyChunk chunk, co_await exchange_.read_body());
    body_.read = chunk.end;
    // An endpoint of HTTP/2 may say that it has not taken the request, whatever its method.
    body_.replay.add(chunk.data, needed_again || (shares_connection_ && !upstream_.response_begun()));
    if (body_.read) {
      stream_.info().request_done = loop().now();
      observer_.on_request_whole();
      deadlines_.start_try(loop().now());
    }
    Result<void> sent = co_await send_piece(chunk);
    if (body_.read) static_cast<void>(co_await exchange_.read_body());  // gives back what the last piece held
    if (!sent) co_return stopped(std::move(sent));
  }
  co_return Result<void>{};
}

net::Task<Result<void>> Relay::send_again() {
  set_deadlines();
  WEFT_CO_CHECK(co_await upstream_.send_body(body_.replay.bytes(), body_.read && !body_.trailers));
  if (body_.trailers) co_return co_await upstream_.send_trailers(*body_.trailers);
  co_return Result<void>{};
}

net::Task<Result<void>> Relay::send_piece(const http::BodyChunk& chunk) {
  set_deadlines();
  if (chunk.trailers) body_.trailers = std::make_unique<http::Headers>(*chunk.trailers);
  WEFT_CO_CHECK(co_await upstream_.send_body(chunk.data, chunk.end && !body_.trailers));
  if (body_.trailers) co_return co_await upstream_.send_trailers(*body_.trailers);
  co_return Result<void>{};
}

/// The response, and with it the end of the exchange; but an endpoint that has responded early may go on
/// reading the request, and a client that is cut while it sends would lose the response.
net::Task<Result<void>> Relay::receive(TryFailure& failure) {
  failure = co_await read_response();
  const bool whole =
      failure == TryFailure::kNone && exchange_.response_complete() && upstream_.response_complete();
  const bool tunnelled = phase_ == Phase::kTunnelling;
  phase_ = Phase::kResponded;
  // With its status a call is over: no server takes messages behind it.
  const bool wanted = !upstream_.request_complete() && !is_grpc(exchange_.request());
  if (!whole || tunnelled || !wanted) co_return stop();
  set_deadlines();
  co_return Result<void>{};
}

net::Task<TryFailure> Relay::read_response() {
  http::ResponseHead& response = stream_.response();
  for (int interims = 0;; ++interims) {
    const Result<void> read = co_await upstream_.read_head(response);
    if (!read) co_return failure_of(read.error());
    if (response.status >= 200 || response.status == 101) break;
    if (interims == kMaxInterims) {
      failure_text_ = "too many interim responses";
      co_return TryFailure::kProtocol;
    }
    if (response.status != 100) static_cast<void>(co_await exchange_.send_interim(response));
  }
  stream_.info().response_begun = loop().now();
  stream_.info().status = endpoint_status_ = response.status;
  if (exchange_.request().method == "CONNECT" && is_success(response.status)) co_return co_await run_tunnel();
  if (response.status == 101) {
    // RFC 9110 §7.8: only what was asked for, and after the whole request.
    if (exchange_.request().upgrade.empty() || !body_.read || !upstream_.request_complete()) {
      failure_text_ = "switched protocols without having been asked, or too early";
      co_return TryFailure::kProtocol;
    }
    co_return co_await run_tunnel();
  }
  if (observer_.asks_again(response)) co_return TryFailure::kStatus;
  if (claims_an_upgrade(exchange_.request(), response)) {
    failure_text_ = "the protocol was not switched";
    co_return TryFailure::kProtocol;
  }
  // A call that is over with its head says so there; else in the trailers.
  if (upstream_.response_complete()) stream_.info().grpc_status = grpc_status_in(response.headers);
  prepare_response();
  co_return co_await relay_response();
}

void Relay::prepare_response() {
  http::ResponseHead& response = stream_.response();
  stream_.info().details = "via_upstream";
  if (!stream_.config().suppress_envoy_headers) {
    const auto taken = std::chrono::duration_cast<Milliseconds>(loop().now() - sent_at_).count();
    response.headers.set(HeaderId::kXEnvoyUpstreamServiceTime, std::to_string(taken));
  }
  stream_.prepare_response();
}

net::Task<TryFailure> Relay::relay_response() {
  bool end = upstream_.response_complete();
  if (end && upstream_.request_complete()) observer_.on_endpoint_done();
  Result<void> sent = co_await exchange_.send_head(stream_.response(), end);
  const bool malformed = !sent && sent.error().blame == Blame::kInternal;
  if (malformed && !exchange_.response_started()) {
    stream_.response().clear();
    stream_.forget_response_rules();  // one of them may have made it so
    co_await stream_.reply(LocalReplyKind::kResponseMalformed);
    co_return TryFailure::kNone;
  }
  while (sent && !end) {
    // The head waits for the first bytes of the body, so both leave in one write; but not for bytes yet to
    // come.
    if (!upstream_.body_available()) sent = co_await exchange_.flush();
    if (!sent) break;
    set_deadlines();
    keep_client_waiting();
    const Result<http::BodyChunk> chunk = co_await upstream_.read_body();
    if (!chunk) {
      co_await end_response(chunk.error());
      co_return TryFailure::kNone;
    }
    end = chunk->end;
    if (end) {
      exchange_.set_response_deadline(kNever);  // nothing of the endpoint's is left to wait for
      if (upstream_.request_complete()) observer_.on_endpoint_done();
    }
    sent = co_await exchange_.send_body(chunk->data, end && !chunk->trailers);
    if (chunk->trailers) stream_.info().grpc_status = grpc_status_in(*chunk->trailers);
    if (sent && chunk->trailers) sent = co_await exchange_.send_trailers(*chunk->trailers);
  }
  if (!sent && !exchange_.response_started()) stream_.info().status = 0;  // the client has not seen it
  if (!sent) cut_response(sent.error());
  co_return TryFailure::kNone;
}

/// The rest of the response does not come. A call is told why behind the messages that have come.
net::Task<void> Relay::end_response(const Error& why) {
  if (may_say_status() && why.code == Code::kTimeout && deadlines_.passed(loop().now())) {
    const LocalReply& reply = tell_time_passed();
    co_return co_await end_call(*reply.grpc_status, reply.body);
  }
  if (may_say_status() && why.code != Code::kTimeout && why.blame == Blame::kUpstream) {
    tell_reset();
    co_return co_await end_call(status_of_lost_call(why.code), "the rest of the response is lost");
  }
  cut_response(why);
}

/// Where a status can still be said behind what has come of the response.
bool Relay::may_say_status() const {
  const http::RequestHead& request = exchange_.request();
  const http::ResponseHead& response = stream_.response();
  return !cancelled() && is_grpc(request) && request.version != http::Version::k10 &&
         response.status == 200 && !response.content_length;
}

/// To the client, that is a status like others.
net::Task<void> Relay::end_call(int status, std::string_view message) {
  stream_.info().grpc_status = status;
  http::Headers trailers;
  trailers.add("grpc-status", std::to_string(status));
  trailers.add("grpc-message", grpc_message(message));
  exchange_.set_response_deadline(loop().now() + kPieceAfterResponse);
  const Result<void> sent = co_await exchange_.send_trailers(trailers);
  if (!sent) exchange_.reset();
}

/// Which of its times has ended the response.
const LocalReply& Relay::tell_time_passed() {
  LocalReplyKind kind = LocalReplyKind::kRequestIdle;
  if (deadlines_.ended(loop().now())) {
    stream_.counters().count(kMaxDurationReached);
    kind = LocalReplyKind::kMaxDuration;
  } else if (deadlines_.passed(loop().now())) {
    ++counters_.upstream_rq_timeout;
    kind = LocalReplyKind::kUpstreamTimeout;
  }
  const LocalReply& reply = local_reply(kind);
  stream_.info().flags.set(reply.flag);
  stream_.info().details = reply.details;
  return reply;
}

void Relay::tell_reset() {
  ++counters_.upstream_rq_rx_reset;
  stream_.info().flags.set(Flag::kUpstreamTermination);
  stream_.info().details = "upstream_reset_after_response_started{connection_termination}";
}

/// The endpoint does not send the rest of the response, or the client does not take it; either may have gone.
void Relay::cut_response(const Error& why) {
  RequestInfo& info = stream_.info();
  if (why.code == Code::kTimeout && !cancelled()) {
    tell_time_passed();
  } else if (why.blame == Blame::kUpstream && !cancelled()) {
    tell_reset();
  } else {
    if (!upstream_.response_complete()) ++counters_.upstream_rq_cancelled;
    info.flags.set(Flag::kDownstreamTerminated);
    info.details = "downstream_remote_disconnect";
  }
  exchange_.reset();
}

net::Task<TryFailure> Relay::run_tunnel() {
  prepare_response();
  phase_ = Phase::kTunnelling;
  Result<void> sent = co_await exchange_.send_head(stream_.response(), false);
  if (sent) sent = co_await exchange_.flush();
  if (!sent) co_return TryFailure::kClient;
  auto client = exchange_.upgrade();
  auto server = upstream_.upgrade();
  exchange_.on_disconnect({});
  co_await tunnel(*client.stream, *server.stream, std::move(client.read_ahead), std::move(server.read_ahead),
                  {.idle = deadlines_.idle(),
                   .stall = stream_.config().stall_timeout,
                   .end = deadlines_.end(),
                   .block = std::min(stream_.connection().listener().config->buffer_limit,
                                     stream_.info().cluster->buffer_limit)});
  upstream_.set_write_limits(kPieceAfterResponse, kNever);
  static_cast<void>(co_await upstream_.flush());
  co_return TryFailure::kNone;
}

TryFailure Relay::failure_of(const Error& error) {
  failure_text_ = error.text;
  if (cancelled()) return TryFailure::kClient;
  if (error.code == Code::kTimeout)
    return deadlines_.try_passed(loop().now()) ? TryFailure::kPerTryTimeout : TryFailure::kTimeout;
  if (error.code == Code::kInvalid || error.code == Code::kTooLarge) return TryFailure::kProtocol;
  unanswered_ = upstream_.reused() && !upstream_.response_begun() && upstream_.reset_code().empty();
  grpc_status_ = grpc_status_of_reset(error.code);
  if (error.retry != Retry::kFreshConnection) return TryFailure::kReset;
  switch (upstream_.taken()) {
    case http::ClientExchange::Taken::kNot: return TryFailure::kUnprocessed;
    case http::ClientExchange::Taken::kHardly: return TryFailure::kStale;
    case http::ClientExchange::Taken::kPerhaps: break;
  }
  return TryFailure::kReset;
}

}  // namespace weft::proxy

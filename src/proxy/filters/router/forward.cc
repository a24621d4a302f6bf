#include "proxy/filters/router/forward.h"

#include <algorithm>
#include <utility>

#include "proxy/filters/router/retry_policy.h"
#include "proxy/listener/downstream_connection.h"
#include "proxy/listener/tunnel.h"
#include "proxy/request/http_stream.h"
#include "proxy/request/local_reply.h"
#include "proxy/request/request_headers.h"
#include "proxy/worker.h"

namespace weft::proxy {
namespace {

using http::Known;

constexpr Milliseconds kDefaultTimeout{15'000};
constexpr int kMaxInterims = 8;
/// How long an endpoint that has responded may leave the rest of the request waiting.
constexpr Duration kPieceAfterResponse = 5s;

Result<void> stop() { return fail(Error::internal(Code::kCancelled, "the other direction decides")); }

Deadlines::Limits limits_of(const ForwardAction& action, const HttpConfig& config) {
  return {.response = action.timeout.value_or(kDefaultTimeout),
          .per_try = action.retry ? action.retry->per_try_timeout : Milliseconds{0},
          .idle = action.idle_timeout.value_or(config.stream_idle_timeout),
          .stall = config.stall_timeout};
}

}  // namespace

Forward::Forward(HttpStream& stream, std::shared_ptr<UpstreamCluster> cluster, const ForwardAction& action)
    : stream_(stream),
      exchange_(stream.exchange()),
      info_(stream.info()),
      cluster_(std::move(cluster)),
      action_(action),
      retries_(action.retry ? &*action.retry : nullptr),
      deadlines_(limits_of(action, stream.config())) {
  ++cluster_->counters().upstream_rq_total;
  ++cluster_->counters().upstream_rq_active;
}

net::Loop& Forward::loop() const { return stream_.loop(); }

bool Forward::cancelled() const { return stream_.cancellation().requested(); }

void Forward::cancel() {
  waiting_.give_up();
  if (lease_) lease_.exchange().cancel();
}

net::Task<void> Forward::run() {
  const Cancellation::Wait wait(stream_.cancellation(), [this] { cancel(); });
  request_place_ = cluster_->take_request();
  if (!request_place_) {
    co_await reply_to_failure(Failure::kOverflow);
    co_return;
  }
  prepare_request();
  body_read_ = exchange_.request_complete();
  if (body_read_)
    request_came_whole();
  else if (action_.idle_timeout)
    exchange_.set_body_timeout(deadlines_.idle_or_stall());
  for (;;) {
    ++info_.attempts;
    Failure failure = co_await try_once();
    if (failure == Failure::kNone) break;
    // One that was made of a response, which is given away by now, stands.
    const RetryState::Decision decision = failure == Failure::kStatus ? by_status_ : decide(failure);
    if (RetryState::retries(decision))
      failure = co_await retry_after(failure, decision);
    else
      note_exhausted(decision);
    if (failure == Failure::kNone) continue;
    co_await reply_to_failure(cancelled() ? Failure::kClient : failure);
    break;
  }
}

/// Why the next try is not to be made after all; kNone when it is.
net::Task<Forward::Failure> Forward::retry_after(Failure failure, RetryState::Decision decision) {
  ++cluster_->counters().upstream_rq_retry;
  fresh_ = failure == Failure::kStale || (failure == Failure::kReset && unanswered_);
  if (decision == RetryState::Decision::kByPolicy && !retry_place_) retry_place_ = cluster_->take_retry();
  retries_.count(decision);
  const Duration wait = retries_.back_off(stream_.random());
  co_await loop().sleep_until(std::min(loop().now() + wait, deadlines_.whole()));
  if (cancelled()) co_return Failure::kClient;
  co_return deadlines_.passed(loop().now()) ? Failure::kTimeout : Failure::kNone;
}

void Forward::prepare_request() {
  http::RequestHead& head = exchange_.request();
  const RoutingTable::Found& found = stream_.route();
  if (!action_.prefix_rewrite.empty() || action_.regex_rewrite) {
    std::string path = rewritten_path(*found.route->config, action_, head.path);
    if (path != head.path && !stream_.config().suppress_envoy_headers)
      head.headers.set(Known::kXEnvoyOriginalPath, head.path);
    head.path = std::move(path);
  }
  if (!action_.host_rewrite.empty()) {
    if (action_.append_x_forwarded_host) head.headers.add(Known::kXForwardedHost, head.authority);
    if (!head.authority.empty() && head.authority != action_.host_rewrite &&
        !stream_.config().suppress_envoy_headers)
      head.headers.set("x-envoy-original-host", head.authority);
    head.authority = action_.host_rewrite;
  }
  if (stream_.chosen()) stream_.chosen()->request.apply(head.headers, info_, &head.authority);
  found.route->request.apply(head.headers, info_, &head.authority);
  found.host->request.apply(head.headers, info_, &head.authority);
  stream_.table().request.apply(head.headers, info_, &head.authority);
  const std::string& operation = found.route->config->decorator_operation;
  if (!operation.empty() && stream_.connection().listener().config->direction == Direction::kOutbound)
    head.headers.set(Known::kXEnvoyDecoratorOperation, operation);
  else
    head.headers.remove(Known::kXEnvoyDecoratorOperation);
  const Milliseconds timeout = action_.timeout.value_or(kDefaultTimeout);
  if (timeout.count() && !stream_.config().suppress_envoy_headers)
    head.headers.set("x-envoy-expected-rq-timeout-ms", std::to_string(timeout.count()));
}

/// The response's time begins. It holds for a client that does not take its response, too: the endpoint
/// waits meanwhile.
void Forward::request_came_whole() {
  deadlines_.start(loop().now());
  exchange_.set_response_deadline(deadlines_.whole());
}

/// Called for every piece of either body.
void Forward::set_deadlines() {
  http::ClientExchange& upstream = lease_.exchange();
  const TimePoint now = loop().now();
  if (response_over_) return upstream.set_write_deadline(now + kPieceAfterResponse);
  const bool started = exchange_.response_started();
  upstream.set_read_deadline(deadlines_.for_reading(now, body_read_, started));
  upstream.set_write_deadline(deadlines_.for_writing(now, started));
}

net::Task<Forward::Failure> Forward::try_once() {
  deadlines_.begin_try();
  if (body_read_) deadlines_.start_try(loop().now());
  const Failure connected = co_await connect();
  if (connected != Failure::kNone) co_return connected;
  std::shared_ptr<EndpointPool> endpoint = lease_.endpoint();
  const Failure failure = co_await exchange_messages(lease_.exchange());
  if (failure == Failure::kNone) {
    count_status(cluster_->counters(), info_.status);
  } else {
    avoid(std::move(endpoint));
  }
  lease_.give_back();
  co_return failure;
}

void Forward::avoid(std::shared_ptr<EndpointPool> endpoint) {
  tried_.push_back(endpoint.get());
  tried_owners_.push_back(std::move(endpoint));
}

net::Task<Forward::Failure> Forward::connect() {
  UpstreamCluster::Request wanted;
  wanted.original_destination = stream_.connection().original_destination();
  wanted.deadline = deadlines_.for_connection(loop().now());
  wanted.waiting = &waiting_;
  wanted.fresh = fresh_;
  wanted.avoid = tried_;
  std::shared_ptr<EndpointPool> unreached;
  wanted.unreached = &unreached;
  auto leased = co_await cluster_->lease(wanted);
  if (cancelled()) co_return Failure::kClient;
  if (unreached) avoid(std::move(unreached));
  if (leased) {
    lease_ = std::move(*leased);
    info_.upstream_host = lease_.endpoint()->text();
    info_.upstream_local_address = lease_.local_address();
    co_return Failure::kNone;
  }
  failure_text_ = leased.error().text;
  switch (leased.error().code) {
    case Code::kNotFound: co_return Failure::kNoHost;
    case Code::kExhausted: co_return Failure::kOverflow;
    case Code::kTimeout:
      if (deadlines_.passed(loop().now())) co_return Failure::kTimeout;
      if (deadlines_.try_passed(loop().now())) co_return Failure::kPerTryTimeout;
      if (wanted.deadline <= loop().now()) co_return Failure::kTimeout;
      co_return Failure::kConnectTimeout;
    default: co_return Failure::kConnect;
  }
}

net::Task<Forward::Failure> Forward::exchange_messages(http::ClientExchange& upstream) {
  http::RequestHead& head = exchange_.request();
  if (stream_.route().host->config->include_attempt_count)
    head.headers.set(Known::kXEnvoyAttemptCount, std::to_string(info_.attempts));
  sent_at_ = loop().now();
  response_over_ = false;  // of the try before, whose deadlines were others
  set_deadlines();
  const bool whole = body_read_ && replay_.empty() && !request_trailers_;
  if (!whole) co_return co_await send_and_receive(upstream);
  const Result<void> sent = co_await upstream.send_head(head, true);
  if (!sent) co_return failure_of(sent.error());
  co_return co_await read_response(upstream);
}

/// With a body both directions go on at once: an upstream may respond before it has read everything, or never
/// read.
net::Task<Forward::Failure> Forward::send_and_receive(http::ClientExchange& upstream) {
  const Result<void> head = co_await upstream.send_head(exchange_.request(), false);
  if (!head) co_return failure_of(head.error());
  Failure failure = Failure::kNone;
  const Result<void> both = co_await net::both(send_body(upstream), receive(upstream, failure));
  if (response_over_ || both) co_return failure;
  if (both.error().blame == Blame::kDownstream) {
    failure_text_ = both.error().text;
    if (both.error().code == Code::kTimeout && stream_.overdue()) co_return Failure::kOverdue;
    if (both.error().code == Code::kInvalid || both.error().code == Code::kTooLarge) {
      stream_.response().clear();
      if (exchange_.response_started())
        info_.flags.set(Flag::kDownstreamProtocolError);
      else
        co_await stream_.reply(LocalReplyKind::kRequestMalformed);
      co_return Failure::kNone;
    }
    if (both.error().code != Code::kTimeout || exchange_.response_started()) co_return Failure::kClient;
    stream_.response().clear();
    co_await stream_.reply(LocalReplyKind::kRequestIdle);
    co_return Failure::kNone;
  }
  co_return failure_of(both.error());
}

/// The request's body: first what an earlier try had already read, then the rest.
net::Task<Result<void>> Forward::send_body(http::ClientExchange& upstream) {
  // A server that has responded may have stopped reading: its response decides, and this is no failure. One
  // that takes nothing for too long is.
  const auto stopped = [this](Result<void> sent) {
    return sent.error().code == Code::kTimeout && !response_over_ ? std::move(sent) : Result<void>{};
  };
  if (!replay_.empty() || body_read_) {
    set_deadlines();
    Result<void> sent = co_await upstream.send_body(replay_.bytes(), body_read_ && !request_trailers_);
    if (sent && request_trailers_) sent = co_await upstream.send_trailers(*request_trailers_);
    if (!sent) co_return stopped(std::move(sent));
  }
  const bool retry_possible =
      action_.retry || (upstream.reused() && is_idempotent(exchange_.request().method));
  while (!body_read_) {
    if (!exchange_.body_available()) static_cast<void>(co_await upstream.flush());
    WEFT_CO_TRY(const http::BodyChunk chunk, co_await exchange_.read_body());
    body_read_ = chunk.end;
    replay_.add(chunk.data, retry_possible);
    if (body_read_) {
      info_.request_done = loop().now();
      request_came_whole();
      deadlines_.start_try(loop().now());
    }
    set_deadlines();
    if (chunk.trailers) request_trailers_ = std::make_unique<http::Headers>(*chunk.trailers);
    Result<void> sent = co_await upstream.send_body(chunk.data, chunk.end && !request_trailers_);
    if (sent && request_trailers_) sent = co_await upstream.send_trailers(*request_trailers_);
    if (!sent) co_return stopped(std::move(sent));
  }
  co_return Result<void>{};
}

/// The response, and with it the end of the exchange; but an endpoint that has responded early may go on
/// reading the request, and a client that is cut while it sends would lose the response.
net::Task<Result<void>> Forward::receive(http::ClientExchange& upstream, Failure& failure) {
  failure = co_await read_response(upstream);
  const bool whole =
      failure == Failure::kNone && exchange_.response_complete() && upstream.response_complete();
  if (!whole || tunnelled_ || upstream.request_complete()) {
    response_over_ = true;
    co_return stop();
  }
  response_over_ = true;
  set_deadlines();
  co_return Result<void>{};
}

net::Task<Forward::Failure> Forward::read_response(http::ClientExchange& upstream) {
  http::ResponseHead& response = stream_.response();
  for (int interims = 0;; ++interims) {
    const Result<void> read = co_await upstream.read_head(response);
    if (!read) co_return failure_of(read.error());
    if (response.status >= 200 || response.status == 101) break;
    if (interims == kMaxInterims) {
      failure_text_ = "too many interim responses";
      co_return Failure::kProtocol;
    }
    if (response.status != 100) static_cast<void>(co_await exchange_.send_interim(response));
  }
  info_.response_begun = loop().now();
  info_.status = response.status;
  if (response.status == 101) {
    // RFC 9110 §7.8: only what was asked for, and after the whole request.
    if (exchange_.request().upgrade.empty() || !upstream.request_complete()) {
      failure_text_ = "switched protocols without having been asked, or too early";
      co_return Failure::kProtocol;
    }
    co_return co_await run_tunnel(upstream);
  }
  if (retries_.names(response)) {
    by_status_ = decide(Failure::kStatus);
    if (RetryState::retries(by_status_)) co_return Failure::kStatus;
    note_exhausted(by_status_);
  }
  prepare_response();
  co_return co_await relay(upstream);
}

void Forward::prepare_response() {
  http::ResponseHead& response = stream_.response();
  info_.details = "via_upstream";
  if (!stream_.config().suppress_envoy_headers) {
    const auto taken = std::chrono::duration_cast<Milliseconds>(loop().now() - sent_at_).count();
    response.headers.set(Known::kXEnvoyUpstreamServiceTime, std::to_string(taken));
  }
  stream_.prepare_response();
}

net::Task<Forward::Failure> Forward::relay(http::ClientExchange& upstream) {
  bool end = upstream.response_complete();
  if (end && upstream.request_complete()) leave_cluster();
  Result<void> sent = co_await exchange_.send_head(stream_.response(), end);
  if (!sent && !exchange_.response_started()) {
    stream_.response().clear();
    stream_.forget_response_rules();  // one of them may have made it so
    co_await stream_.reply(LocalReplyKind::kResponseMalformed);
    co_return Failure::kNone;
  }
  while (sent && !end) {
    // The head waits for the first bytes of the body, so both leave in one write; but not for bytes yet to
    // come.
    if (!upstream.body_available()) sent = co_await exchange_.flush();
    if (!sent) break;
    set_deadlines();
    const Result<http::BodyChunk> chunk = co_await upstream.read_body();
    if (!chunk) {
      const bool ours = cancelled() || chunk.error().code == Code::kTimeout;
      info_.flags.set(cancelled() ? Flag::kDownstreamTerminated
                      : ours      ? Flag::kUpstreamTimeout
                                  : Flag::kUpstreamTermination);
      info_.details = cancelled() ? "downstream_remote_disconnect"
                                  : "upstream_reset_after_response_started{connection_termination}";
      ++cluster_->counters().upstream_rq_rx_reset;
      exchange_.reset();
      co_return Failure::kNone;
    }
    end = chunk->end;
    if (end) {
      exchange_.set_response_deadline(kNever);  // nothing of the endpoint's is left to wait for
      if (upstream.request_complete()) leave_cluster();
    }
    sent = co_await exchange_.send_body(chunk->data, end && !chunk->trailers);
    if (sent && chunk->trailers) sent = co_await exchange_.send_trailers(*chunk->trailers);
  }
  if (!sent) cut_response(sent.error());
  co_return Failure::kNone;
}

/// No endpoint works on the request any more. Its places are free before the client has the end of its
/// response, for the client may ask again at once, and at another worker.
void Forward::leave_cluster() {
  if (std::exchange(active_, false)) --cluster_->counters().upstream_rq_active;
  request_place_.give_back();
  retry_place_.give_back();
}

/// The client does not take its response, or has gone.
void Forward::cut_response(const Error& why) {
  if (why.code == Code::kTimeout && !cancelled()) {
    const bool overdue = deadlines_.passed(loop().now());
    if (overdue) ++cluster_->counters().upstream_rq_timeout;
    info_.flags.set(overdue ? Flag::kUpstreamTimeout : Flag::kStreamIdleTimeout);
    info_.details = overdue ? "response_timeout" : "stream_idle_timeout";
  } else {
    info_.flags.set(Flag::kDownstreamTerminated);
    info_.details = "downstream_remote_disconnect";
  }
  exchange_.reset();
}

net::Task<Forward::Failure> Forward::run_tunnel(http::ClientExchange& upstream) {
  prepare_response();
  tunnelled_ = true;
  Result<void> sent = co_await exchange_.send_head(stream_.response(), false);
  if (sent) sent = co_await exchange_.flush();
  if (!sent) co_return Failure::kClient;
  auto client = exchange_.upgrade();
  auto server = upstream.upgrade();
  exchange_.on_disconnect({});
  co_await tunnel(*client.stream, *server.stream, std::move(client.read_ahead), std::move(server.read_ahead),
                  {.idle = deadlines_.idle(), .stall = stream_.config().stall_timeout});
  co_return Failure::kNone;
}

Forward::Failure Forward::failure_of(const Error& error) {
  failure_text_ = error.text;
  if (cancelled()) return Failure::kClient;
  if (error.code == Code::kTimeout) {
    if (deadlines_.try_passed(loop().now())) return Failure::kPerTryTimeout;
    return Failure::kTimeout;
  }
  if (error.code == Code::kInvalid || error.code == Code::kTooLarge) return Failure::kProtocol;
  unanswered_ = lease_.exchange().reused() && !lease_.exchange().response_begun();
  const bool stale = error.retry == Retry::kFreshConnection && !lease_.exchange().delivered();
  return stale ? Failure::kStale : Failure::kReset;
}

RetryState::Decision Forward::decide(Failure failure) const {
  const bool repeatable =
      !exchange_.response_started() && !cancelled() && !deadlines_.passed(loop().now()) && replay_.complete();
  return retries_.decide(failure, {.method = exchange_.request().method,
                                   .repeatable = repeatable,
                                   .place = cluster_->may_retry(retry_place_ ? 1 : 0),
                                   .unanswered = unanswered_,
                                   .response = &stream_.response()});
}

/// Says in the log and the counters that a policy would have tried once more and may not.
void Forward::note_exhausted(RetryState::Decision decision) {
  if (decision == RetryState::Decision::kLimit) {
    info_.flags.set(Flag::kUpstreamRetryLimit);
    ++cluster_->counters().upstream_rq_retry_limit_exceeded;
  } else if (decision == RetryState::Decision::kFull) {
    ++cluster_->counters().upstream_rq_retry_overflow;
  }
}

net::Task<void> Forward::reply_to_failure(Failure failure) {
  const bool for_cluster =
      failure != Failure::kClient && failure != Failure::kOverdue && !exchange_.response_started();
  leave_cluster();
  co_await reply_as(failure);
  // An endpoint that was not reached, or too slow, is one that failed to whoever watches the cluster.
  if (for_cluster) count_status(cluster_->counters(), info_.status);
}

net::Task<void> Forward::reply_as(Failure failure) {
  stream_.response().clear();
  exchange_.set_response_deadline(kNever);  // it has passed, perhaps, and a reply of our own is to come
  count_failure(failure);
  if (failure == Failure::kClient) {
    info_.status = 0;
    stream_.client_disconnected();
    co_return;
  }
  if (failure == Failure::kConnect || failure == Failure::kConnectTimeout || failure == Failure::kProtocol)
    info_.upstream_failure = failure_text_;
  if (failure == Failure::kOverflow) stream_.response().headers.add("x-envoy-overloaded", "true");
  co_await stream_.reply(local_reply_for(failure));
}

void Forward::count_failure(Failure failure) {
  ClusterCounters& counters = cluster_->counters();
  switch (failure) {
    case Failure::kClient: ++counters.upstream_rq_cancelled; break;
    case Failure::kOverdue: ++stream_.counters().downstream_rq_timeout; break;
    case Failure::kTimeout: ++counters.upstream_rq_timeout; break;
    case Failure::kPerTryTimeout: ++counters.upstream_rq_per_try_timeout; break;
    case Failure::kReset:
    case Failure::kStale:
    case Failure::kStatus: ++counters.upstream_rq_rx_reset; break;
    default: break;
  }
}

}  // namespace weft::proxy

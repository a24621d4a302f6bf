#include "proxy/request/forward.h"

#include <algorithm>
#include <utility>

#include "proxy/listener/downstream_connection.h"
#include "proxy/listener/tunnel.h"
#include "proxy/request/http_service.h"
#include "proxy/request/request_headers.h"
#include "proxy/request/retry_policy.h"
#include "proxy/worker.h"

namespace weft::proxy {
namespace {

using http::Known;

constexpr Milliseconds kDefaultTimeout{15'000};
constexpr std::size_t kMostReplayed = 64 * 1024;
constexpr int kMostInterims = 8;
constexpr std::uint32_t kDefaultRetries = 1;
/// How long an endpoint that has answered may leave the rest of the request waiting.
constexpr Duration kPieceAfterResponse = 5s;

Result<void> stop() { return fail(Error::internal(Code::kCancelled, "the other direction decides")); }

}  // namespace

Forward::Forward(HttpService& service, http::ServerExchange& exchange,
                 std::shared_ptr<UpstreamCluster> cluster, Plan plan)
    : service_(service), exchange_(exchange), cluster_(std::move(cluster)), plan_(plan) {
  ++cluster_->counters().upstream_rq_total;
  ++cluster_->counters().upstream_rq_active;
}

net::Loop& Forward::loop() const { return service_.connection_.worker().loop(); }

void Forward::abandon() {
  gone_ = true;
  waiting_.give_up();
  if (connection_) connection_->socket->close(true);
}

net::Task<void> Forward::run() {
  request_place_ = cluster_->take_request();
  if (!request_place_) {
    co_await answer_failure(Failure::kOverflow);
    co_return;
  }
  prepare_request();
  service_.watch_client(exchange_);
  body_read_ = exchange_.request_complete();
  if (body_read_)
    start_clock();
  else if (plan_.action.idle_timeout)
    exchange_.set_body_patience(idle_or_stall_timeout());
  for (;;) {
    ++service_.info_.attempts;
    const Failure failure = co_await try_once();
    if (failure == Failure::kNone) break;
    if (gone_ || !may_retry(failure)) {
      note_exhausted(failure);
      co_await answer_failure(gone_ ? Failure::kClient : failure);
      break;
    }
    begin_retry(failure);
    co_await loop().sleep_until(std::min(loop().now() + back_off(), deadline_));
    if (!gone_ && deadline_ > loop().now()) continue;
    co_await answer_failure(gone_ ? Failure::kClient : Failure::kTimeout);
    break;
  }
  exchange_.on_abandoned({});
}

void Forward::prepare_request() {
  http::RequestHead& head = exchange_.request();
  const RequestInfo& info = service_.info_;
  const ForwardAction& action = plan_.action;
  if (!action.prefix_rewrite.empty() || action.regex_rewrite) {
    std::string path = rewritten_path(*plan_.found.route->config, action, head.path);
    if (path != head.path && !service_.config_->suppress_envoy_headers)
      head.headers.set(Known::kXEnvoyOriginalPath, head.path);
    head.path = std::move(path);
  }
  if (!action.host_rewrite.empty()) {
    if (action.append_x_forwarded_host) head.headers.add(Known::kXForwardedHost, head.authority);
    if (!head.authority.empty() && head.authority != action.host_rewrite &&
        !service_.config_->suppress_envoy_headers)
      head.headers.set("x-envoy-original-host", head.authority);
    head.authority = action.host_rewrite;
  }
  if (plan_.chosen) plan_.chosen->request.apply(head.headers, info, &head.authority);
  plan_.found.route->request.apply(head.headers, info, &head.authority);
  plan_.found.host->request.apply(head.headers, info, &head.authority);
  plan_.table.request.apply(head.headers, info, &head.authority);
  const std::string& operation = plan_.found.route->config->decorator_operation;
  if (!operation.empty() && service_.connection_.listener().config->direction == Direction::kOutbound)
    head.headers.set(Known::kXEnvoyDecoratorOperation, operation);
  else
    head.headers.remove(Known::kXEnvoyDecoratorOperation);
  const Milliseconds timeout = action.timeout.value_or(kDefaultTimeout);
  if (timeout.count() && !service_.config_->suppress_envoy_headers)
    head.headers.set("x-envoy-expected-rq-timeout-ms", std::to_string(timeout.count()));
}

/// The request's time counts from its last byte, over all tries; the client's own pace is not held against
/// the endpoint. It holds for a client that does not take its response, too: the endpoint waits meanwhile.
void Forward::start_clock() {
  const Milliseconds timeout = plan_.action.timeout.value_or(kDefaultTimeout);
  if (!timeout.count() || deadline_ != kNever) return;
  deadline_ = loop().now() + timeout;
  exchange_.set_response_deadline(deadline_);
}

/// How long a stream may say nothing; 0: forever.
Milliseconds Forward::idle_timeout() const {
  return plan_.action.idle_timeout.value_or(service_.config_->stream_idle_timeout);
}

/// How long a peer may take no byte of what waits for it, or owe a byte that was announced.
Milliseconds Forward::idle_or_stall_timeout() const {
  const Milliseconds idle = idle_timeout();
  return idle.count() ? idle : service_.config_->stall_timeout;
}

void Forward::start_try_clock() {
  if (per_try_ && try_deadline_ == kNever) try_deadline_ = loop().now() + plan_.action.retry->per_try_timeout;
}

/// Reading from the upstream ends when the try, the request, or the patience with a silent stream is over. It
/// is not silent while the client still sends: then the client's side counts. Called for every piece of
/// either body.
void Forward::set_deadlines() {
  net::Socket& socket = *connection_->socket;
  const TimePoint now = loop().now();
  if (response_over_) return socket.set_write_deadline(now + kPieceAfterResponse);
  const Milliseconds idle = idle_timeout();
  const TimePoint quiet = idle.count() ? now + idle : kNever;
  const TimePoint limit = std::min(deadline_, exchange_.response_started() ? kNever : try_deadline_);
  socket.set_read_deadline(body_read_ ? std::min(quiet, limit) : limit);
  socket.set_write_deadline(std::min(now + idle_or_stall_timeout(), limit));
}

net::Task<Forward::Failure> Forward::try_once() {
  const auto& policy = plan_.action.retry;
  per_try_ = policy && policy->per_try_timeout.count();
  try_deadline_ = kNever;
  if (body_read_) start_try_clock();
  const Failure connected = co_await connect();
  if (connected != Failure::kNone) co_return connected;
  std::shared_ptr<EndpointPool> endpoint = connection_->endpoint;
  ++endpoint->active_requests;
  ++endpoint->total_requests;
  struct Active {
    EndpointPool& endpoint;
    ~Active() { --endpoint.active_requests; }
  } active{*endpoint};
  const Failure failure = co_await exchange_messages(connection_->http.start());
  if (failure == Failure::kNone) {
    count_status(cluster_->counters(), service_.info_.status);
  } else {
    avoid(std::move(endpoint));
  }
  finish_connection();
  co_return failure;
}

void Forward::avoid(std::shared_ptr<EndpointPool> endpoint) {
  tried_.push_back(endpoint.get());
  tried_owners_.push_back(std::move(endpoint));
}

/// A request whose body is still to come has no deadline of its own yet; waiting for a connection it has the
/// patience that the answer would have, or that a silent stream has.
TimePoint Forward::waiting_deadline() const {
  const Milliseconds timeout = plan_.action.timeout.value_or(kDefaultTimeout);
  const Milliseconds patience = timeout.count() ? timeout : idle_timeout();
  return patience.count() ? loop().now() + patience : kNever;
}

net::Task<Forward::Failure> Forward::connect() {
  UpstreamCluster::Request wanted;
  wanted.original_destination = service_.connection_.original_destination();
  wanted.deadline = std::min({deadline_, try_deadline_, waiting_deadline()});
  wanted.waiting = &waiting_;
  wanted.fresh = fresh_;
  wanted.avoid = tried_;
  std::shared_ptr<EndpointPool> unreached;
  wanted.unreached = &unreached;
  auto acquired = co_await cluster_->acquire(wanted);
  if (gone_) co_return Failure::kClient;
  if (unreached) avoid(std::move(unreached));
  if (acquired) {
    connection_ = std::move(*acquired);
    service_.info_.upstream_host = connection_->endpoint->text();
    service_.info_.upstream_local_address = connection_->local_address;
    co_return Failure::kNone;
  }
  failure_text_ = acquired.error().text;
  switch (acquired.error().code) {
    case Code::kNotFound: co_return Failure::kNoHost;
    case Code::kExhausted: co_return Failure::kOverflow;
    case Code::kTimeout:
      if (deadline_ <= loop().now()) co_return Failure::kTimeout;
      if (try_deadline_ <= loop().now()) co_return Failure::kPerTryTimeout;
      if (wanted.deadline <= loop().now()) co_return Failure::kTimeout;
      co_return Failure::kConnectTimeout;
    default: co_return Failure::kConnect;
  }
}

net::Task<Forward::Failure> Forward::exchange_messages(http::ClientExchange& upstream) {
  http::RequestHead& head = exchange_.request();
  if (plan_.found.host->config->include_attempt_count)
    head.headers.set(Known::kXEnvoyAttemptCount, std::to_string(service_.info_.attempts));
  sent_at_ = loop().now();
  response_over_ = false;  // of the try before, whose deadlines were others
  set_deadlines();
  const bool whole = body_read_ && replay_.empty();
  if (!whole) co_return co_await send_and_receive(upstream);
  const Result<void> sent = co_await upstream.send_head(head, true);
  if (!sent) co_return failure_of(sent.error());
  co_return co_await read_response(upstream);
}

/// With a body both directions go on at once: an upstream may answer before it has read everything, or never
/// read.
net::Task<Forward::Failure> Forward::send_and_receive(http::ClientExchange& upstream) {
  const Result<void> head = co_await upstream.send_head(exchange_.request(), false);
  if (!head) co_return failure_of(head.error());
  Failure failure = Failure::kNone;
  const Result<void> both = co_await net::both(send_body(upstream), receive(upstream, failure));
  if (response_over_ || both) co_return failure;
  if (both.error().blame == Blame::kDownstream) {
    failure_text_ = both.error().text;
    if (both.error().code == Code::kTimeout && service_.overdue()) co_return Failure::kOverdue;
    if (both.error().code == Code::kInvalid || both.error().code == Code::kTooLarge) {
      service_.info_.flags.set(Flag::kDownstreamProtocolError);
      service_.response_.clear();
      if (!exchange_.response_started())
        co_await service_.reply(exchange_, 400, "Bad Request", "http1.codec_error");
      co_return Failure::kNone;
    }
    if (both.error().code != Code::kTimeout || exchange_.response_started()) co_return Failure::kClient;
    service_.info_.flags.set(Flag::kStreamIdleTimeout);
    service_.response_.clear();
    co_await service_.reply(exchange_, 408, "stream timeout", "stream_idle_timeout");
    co_return Failure::kNone;
  }
  co_return failure_of(both.error());
}

/// The request's body: first what an earlier try had already read, then the rest.
net::Task<Result<void>> Forward::send_body(http::ClientExchange& upstream) {
  // A server that has answered may have stopped reading: its answer decides, so this is no failure. One that
  // takes nothing for too long is.
  const auto stopped = [this](Result<void> sent) {
    return sent.error().code == Code::kTimeout && !response_over_ ? std::move(sent) : Result<void>{};
  };
  if (!replay_.empty() || body_read_) {
    set_deadlines();
    Result<void> sent = co_await upstream.send_body(replay_, body_read_);
    if (!sent) co_return stopped(std::move(sent));
  }
  const bool retry_possible =
      plan_.action.retry || (connection_->http.reused() && is_idempotent(exchange_.request().method));
  while (!body_read_) {
    if (!exchange_.body_available()) static_cast<void>(co_await upstream.flush());
    WEFT_CO_TRY(const http::BodyChunk chunk, co_await exchange_.read_body());
    body_begun_ = true;
    body_read_ = chunk.end;
    if (retry_possible && replay_whole_ && replay_.size() + chunk.data.size() <= kMostReplayed) {
      replay_.append(chunk.data);
    } else if (!chunk.data.empty()) {
      replay_whole_ = false;
      replay_.clear();
    }
    if (body_read_) {
      service_.info_.request_done = loop().now();
      start_clock();
      start_try_clock();
    }
    set_deadlines();
    Result<void> sent = co_await upstream.send_body(chunk.data, chunk.end);
    if (!sent) co_return stopped(std::move(sent));
  }
  co_return Result<void>{};
}

/// The answer, and with it the end of the exchange; but an endpoint that has answered early may go on reading
/// the request, and a client that is cut while it sends would lose the answer.
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
  http::ResponseHead& response = service_.response_;
  for (int interims = 0;; ++interims) {
    const Result<void> read = co_await upstream.read_head(response);
    if (!read) co_return failure_of(read.error());
    if (response.status >= 200 || response.status == 101) break;
    if (interims == kMostInterims) {
      failure_text_ = "too many interim responses";
      co_return Failure::kProtocol;
    }
    if (response.status != 100) static_cast<void>(co_await exchange_.send_interim(response));
  }
  service_.info_.response_begun = loop().now();
  service_.info_.status = response.status;
  if (response.status == 101) {
    // RFC 9110 §7.8: only what was asked for, and after the whole request.
    if (exchange_.request().upgrade.empty() || !upstream.request_complete()) {
      failure_text_ = "switched protocols without having been asked, or too early";
      co_return Failure::kProtocol;
    }
    co_return co_await run_tunnel(upstream);
  }
  if (policy_retries(Failure::kStatus)) {
    if (may_retry(Failure::kStatus)) co_return Failure::kStatus;
    note_exhausted(Failure::kStatus);
  }
  prepare_response();
  co_return co_await relay(upstream);
}

void Forward::prepare_response() {
  http::ResponseHead& response = service_.response_;
  RequestInfo& info = service_.info_;
  info.response = &response;
  info.details = "via_upstream";
  if (!service_.config_->suppress_envoy_headers) {
    const auto taken = std::chrono::duration_cast<Milliseconds>(loop().now() - sent_at_).count();
    response.headers.set(Known::kXEnvoyUpstreamServiceTime, std::to_string(taken));
  }
  if (plan_.chosen) plan_.chosen->response.apply(response.headers, info);
  plan_.found.route->response.apply(response.headers, info);
  plan_.found.host->response.apply(response.headers, info);
  plan_.table.response.apply(response.headers, info);
  finish_response(response, *service_.config_);
}

net::Task<Forward::Failure> Forward::relay(http::ClientExchange& upstream) {
  RequestInfo& info = service_.info_;
  bool end = upstream.response_complete();
  if (end && upstream.request_complete()) leave_cluster();
  Result<void> sent = co_await exchange_.send_head(service_.response_, end);
  if (!sent && !exchange_.response_started()) {
    service_.response_.clear();
    service_.rules_ = {};  // one of them may have made it so
    co_await service_.reply(exchange_, 500, "Internal Server Error", "response_headers_malformed");
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
      const bool ours = gone_ || chunk.error().code == Code::kTimeout;
      info.flags.set(gone_  ? Flag::kDownstreamTerminated
                     : ours ? Flag::kUpstreamTimeout
                            : Flag::kUpstreamTermination);
      info.details = gone_ ? "downstream_remote_disconnect"
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
    sent = co_await exchange_.send_body(chunk->data, end);
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
  RequestInfo& info = service_.info_;
  if (why.code == Code::kTimeout && !gone_) {
    const bool overdue = deadline_ <= loop().now();
    if (overdue) ++cluster_->counters().upstream_rq_timeout;
    info.flags.set(overdue ? Flag::kUpstreamTimeout : Flag::kStreamIdleTimeout);
    info.details = overdue ? "response_timeout" : "stream_idle_timeout";
  } else {
    info.flags.set(Flag::kDownstreamTerminated);
    info.details = "downstream_remote_disconnect";
  }
  exchange_.reset();
}

net::Task<Forward::Failure> Forward::run_tunnel(http::ClientExchange& upstream) {
  prepare_response();
  tunnelled_ = true;
  Result<void> sent = co_await exchange_.send_head(service_.response_, false);
  if (sent) sent = co_await exchange_.flush();
  if (!sent) co_return Failure::kClient;
  auto client = exchange_.upgrade();
  auto server = upstream.upgrade();
  exchange_.on_abandoned({});
  co_await tunnel(*client.stream, *server.stream, std::move(client.read_ahead), std::move(server.read_ahead),
                  {.idle = idle_timeout(), .stall = service_.config_->stall_timeout});
  co_return Failure::kNone;
}

/// A connection goes back to its pool when its exchange ended in order, and is closed otherwise.
void Forward::finish_connection() {
  if (!connection_) return;
  cluster_->release(std::move(connection_));
}

Forward::Failure Forward::failure_of(const Error& error) {
  failure_text_ = error.text;
  if (gone_) return Failure::kClient;
  if (error.code == Code::kTimeout) {
    if (per_try_ && try_deadline_ <= loop().now()) return Failure::kPerTryTimeout;
    return Failure::kTimeout;
  }
  if (error.code == Code::kInvalid || error.code == Code::kTooLarge) return Failure::kProtocol;
  unanswered_ = connection_->http.reused() && !connection_->http.response_begun();
  const bool stale = error.retry == Retry::kFreshConnection && !connection_->delivered();
  return stale ? Failure::kStale : Failure::kReset;
}

bool Forward::policy_retries(Failure failure) const {
  const auto& policy = plan_.action.retry;
  if (!policy) return false;
  switch (failure) {
    case Failure::kConnect:
    case Failure::kConnectTimeout:
      return policy->connect_failure || policy->five_xx || policy->gateway_error || policy->reset;
    case Failure::kStale:
      if (policy->reset_before_request) return true;
      [[fallthrough]];
    case Failure::kReset: return policy->reset || policy->five_xx || policy->gateway_error;
    case Failure::kPerTryTimeout: return policy->five_xx || policy->gateway_error || policy->reset;
    case Failure::kProtocol: return policy->reset || policy->five_xx || policy->gateway_error;
    case Failure::kStatus: return retries_response(*policy, service_.response_);
    default: return false;
  }
}

bool Forward::is_connect(Failure failure) {
  return failure == Failure::kConnect || failure == Failure::kConnectTimeout;
}

/// The rule without a policy: a connection that could not be made, for every method, since nothing was sent;
/// a reused connection that the server had ended before it could take the request, for idempotent methods,
/// or that ended before any byte of the response, for methods that ask for no change (RFC 9110 §9.2). What
/// may change something is not sent again once a server took it. With a policy, what it says besides.
bool Forward::may_retry(Failure failure) const {
  if (exchange_.response_started() || gone_ || deadline_ <= loop().now()) return false;
  const bool resendable = !body_begun_ || (replay_whole_ && replay_.size() <= kMostReplayed);
  if (!resendable) return false;
  const auto& policy = plan_.action.retry;
  if (policy && policy_retries(failure)) return retries_done_ < policy->retries && place_for_retry();
  const bool stale = failure == Failure::kStale && is_idempotent(exchange_.request().method);
  const bool harmless = failure == Failure::kReset && unanswered_ && is_safe(exchange_.request().method);
  if (!is_connect(failure) && !stale && !harmless) return false;
  return default_retries_done_ < kDefaultRetries && !(policy && policy->retries == 0);
}

bool Forward::place_for_retry() const { return cluster_->may_retry(retry_place_ ? 1 : 0); }

void Forward::begin_retry(Failure failure) {
  ++cluster_->counters().upstream_rq_retry;
  fresh_ = failure == Failure::kStale || (failure == Failure::kReset && unanswered_);
  if (plan_.action.retry && policy_retries(failure)) {
    ++retries_done_;
    if (!retry_place_) retry_place_ = cluster_->take_retry();
  } else {
    ++default_retries_done_;
  }
}

/// Says in the log and the counters that a policy would have tried once more and may not.
void Forward::note_exhausted(Failure failure) {
  const auto& policy = plan_.action.retry;
  if (!policy || !policy_retries(failure) || policy->retries == 0) return;
  if (retries_done_ >= policy->retries) {
    service_.info_.flags.set(Flag::kUpstreamRetryLimit);
    ++cluster_->counters().upstream_rq_retry_limit_exceeded;
  } else if (!place_for_retry()) {
    ++cluster_->counters().upstream_rq_retry_overflow;
  }
}

/// Full jitter over an interval that doubles (as Envoy's): tries of many clients must not come together
/// again.
Duration Forward::back_off() {
  const auto& policy = plan_.action.retry;
  if (!policy || retries_done_ == 0) return Duration::zero();
  const auto factor = std::min<std::uint32_t>(retries_done_ - 1, 16);
  const Milliseconds most = std::min(policy->base_interval * (1u << factor), policy->max_interval);
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(most).count();
  return std::chrono::microseconds(
      service_.connection_.worker().random().below(static_cast<std::uint64_t>(microseconds) + 1));
}

net::Task<void> Forward::answer_failure(Failure failure) {
  const bool for_cluster =
      failure != Failure::kClient && failure != Failure::kOverdue && !exchange_.response_started();
  leave_cluster();
  co_await answer_as(failure);
  // An endpoint that was not reached, or too slow, is one that failed to whoever watches the cluster.
  if (for_cluster) count_status(cluster_->counters(), service_.info_.status);
}

net::Task<void> Forward::answer_as(Failure failure) {
  RequestInfo& info = service_.info_;
  ClusterCounters& counters = cluster_->counters();
  service_.response_.clear();
  exchange_.set_response_deadline(kNever);  // it has passed, perhaps, and a reply of our own is to come
  const auto reset_text = [](std::string_view reason) {
    return "upstream connect error or disconnect/reset before headers. reset reason: " + std::string(reason);
  };
  switch (failure) {
    case Failure::kClient:
      info.flags.set(Flag::kDownstreamTerminated);
      info.details = "downstream_remote_disconnect";
      info.status = 0;
      ++counters.upstream_rq_cancelled;
      exchange_.reset();
      co_return;
    case Failure::kOverdue:
      info.flags.set(Flag::kDownstreamTerminated);
      ++service_.counters_.downstream_rq_timeout;
      if (exchange_.response_started())
        exchange_.reset();
      else
        co_await service_.reply(exchange_, 408, "request timeout", "request_overall_timeout");
      break;
    case Failure::kNoHost:
      info.flags.set(Flag::kNoHealthyUpstream);
      co_await service_.reply(exchange_, 503, "no healthy upstream", "no_healthy_upstream");
      break;
    case Failure::kOverflow:
      info.flags.set(Flag::kUpstreamOverflow);
      service_.response_.headers.add("x-envoy-overloaded", "true");
      co_await service_.reply(exchange_, 503, reset_text("overflow"),
                              "upstream_reset_before_response_started{overflow}");
      break;
    case Failure::kConnect:
    case Failure::kConnectTimeout: {
      info.flags.set(Flag::kUpstreamConnectionFailure);
      info.upstream_failure = failure_text_;
      const bool slow = failure == Failure::kConnectTimeout;
      co_await service_.reply(exchange_, 503, reset_text(slow ? "connection timeout" : "connection failure"),
                              slow ? "upstream_reset_before_response_started{connection_timeout}"
                                   : "upstream_reset_before_response_started{connection_failure}");
      break;
    }
    case Failure::kTimeout:
    case Failure::kPerTryTimeout: {
      info.flags.set(Flag::kUpstreamTimeout);
      const bool one_try = failure == Failure::kPerTryTimeout;
      ++(one_try ? counters.upstream_rq_per_try_timeout : counters.upstream_rq_timeout);
      co_await service_.reply(exchange_, 504, "upstream request timeout",
                              one_try ? "upstream_per_try_timeout" : "response_timeout");
      break;
    }
    case Failure::kProtocol:
      info.flags.set(Flag::kUpstreamProtocolError);
      info.upstream_failure = failure_text_;
      co_await service_.reply(exchange_, 502, reset_text("protocol error"),
                              "upstream_reset_before_response_started{protocol_error}");
      break;
    default:
      info.flags.set(Flag::kUpstreamTermination);
      ++counters.upstream_rq_rx_reset;
      co_await service_.reply(exchange_, 503, reset_text("connection termination"),
                              "upstream_reset_before_response_started{connection_termination}");
      break;
  }
}

}  // namespace weft::proxy

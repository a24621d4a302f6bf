#include "proxy/filters/router/forward.h"

#include <algorithm>
#include <utility>

#include "proxy/filters/router/retry_policy.h"
#include "proxy/listener/downstream_connection.h"
#include "proxy/request/grpc.h"
#include "proxy/request/http_stream.h"
#include "proxy/request/local_reply.h"
#include "proxy/request/request_headers.h"

namespace weft::proxy {
namespace {

using http::HeaderId;

Deadlines::Limits limits_of(const ForwardAction& action, const RequestTime& time, HttpStream& stream) {
  return {.response = time.response,
          .per_try = action.retry ? action.retry->per_try_timeout : Milliseconds{0},
          .idle = action.idle_timeout.value_or(stream.config().stream_idle_timeout),
          .stall = stream.config().stall_timeout,
          .end = time.duration ? stream.info().started + *time.duration : kNever};
}

}  // namespace

Forward::Forward(HttpStream& stream, std::shared_ptr<UpstreamCluster> cluster, const ForwardAction& action,
                 const RequestTime& time)
    : stream_(stream),
      exchange_(stream.exchange()),
      info_(stream.info()),
      cluster_(std::move(cluster)),
      action_(action),
      time_(time),
      retries_(action.retry.get()),
      deadlines_(limits_of(action, time, stream)) {
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
  exchange_.set_response_deadline(deadlines_.whole());
  body_.replay = ReplayBuffer(stream_.connection().listener().config->buffer_limit);
  body_.read = exchange_.request_complete();
  if (body_.read)
    on_request_whole();
  else if (is_grpc(exchange_.request()))
    exchange_.set_body_timeout(deadlines_.idle());  // between two messages nothing stalls
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
  const bool ended_when_pooled = failure == Failure::kStale || (failure == Failure::kReset && unanswered_);
  connect_ = ended_when_pooled ? Connect::kFresh : Connect::kPooled;
  if (decision == RetryState::Decision::kByPolicy && !retry_place_) retry_place_ = cluster_->take_retry();
  retries_.count(decision);
  const Duration wait = retries_.back_off(stream_.random());
  net::Loop::SleepAwaiter sleep = loop().sleep_until(std::min(loop().now() + wait, deadlines_.whole()));
  {
    const Cancellation::Wait cancellable(stream_.cancellation(), [&] { sleep.timer.arm(loop().now()); });
    co_await sleep;
  }
  if (cancelled()) co_return Failure::kClient;
  co_return deadlines_.passed(loop().now()) ? Failure::kTimeout : Failure::kNone;
}

void Forward::prepare_request() {
  http::RequestHead& head = exchange_.request();
  const RoutingTable::Found& found = stream_.route();
  const RoutingTable::CompiledCluster* const chosen = stream_.chosen();
  // Before the rewrites: what they say of the request is what the client asked for.
  if (chosen) chosen->request.apply(head.headers, info_);
  found.route->request.apply(head.headers, info_);
  found.host->request.apply(head.headers, info_);
  stream_.table().request.apply(head.headers, info_);
  if (!action_.prefix_rewrite.empty() || action_.regex_rewrite) {
    std::string path = rewritten_path(*found.route->config, action_, head.path);
    if (path != head.path && !stream_.config().suppress_envoy_headers)
      head.headers.set(HeaderId::kXEnvoyOriginalPath, head.path);
    head.path = std::move(path);
  }
  if (!action_.host_rewrite.empty()) {
    if (action_.append_x_forwarded_host) head.headers.add(HeaderId::kXForwardedHost, head.authority);
    if (!head.authority.empty() && head.authority != action_.host_rewrite &&
        !stream_.config().suppress_envoy_headers)
      head.headers.set("x-envoy-original-host", head.authority);
    head.authority = action_.host_rewrite;
  }
  if (chosen && !chosen->config->host_rewrite.empty()) head.authority = chosen->config->host_rewrite;
  const std::string_view operation = found.route->config->decorator_operation;
  if (!operation.empty() && stream_.connection().listener().config->direction == Direction::kOutbound)
    head.headers.set(HeaderId::kXEnvoyDecoratorOperation, operation);
  else
    head.headers.remove(HeaderId::kXEnvoyDecoratorOperation);
  tell_time();
}

/// The endpoint may spare itself what comes too late.
void Forward::tell_time() {
  http::Headers& headers = exchange_.request().headers;
  if (time_.response.count() && !stream_.config().suppress_envoy_headers)
    headers.set("x-envoy-expected-rq-timeout-ms", std::to_string(time_.response.count()));
  if (time_.told) headers.set("grpc-timeout", grpc_timeout_text(*time_.told));
}

/// The response's time begins. It holds for a client that does not take its response, too: the endpoint
/// waits meanwhile.
void Forward::on_request_whole() {
  deadlines_.start(loop().now());
  exchange_.set_response_deadline(deadlines_.whole());
}

net::Task<Forward::Failure> Forward::try_once() {
  deadlines_.begin_try();
  if (body_.read) deadlines_.start_try(loop().now());
  const Failure connected = co_await connect();
  if (connected != Failure::kNone) co_return connected;
  std::shared_ptr<EndpointPool> endpoint = lease_.endpoint();
  if (stream_.route().host->config->include_attempt_count)
    exchange_.request().headers.set(HeaderId::kXEnvoyAttemptCount, std::to_string(info_.attempts));
  Relay relay({.stream = stream_,
               .upstream = lease_.exchange(),
               .body = body_,
               .deadlines = deadlines_,
               .counters = cluster_->counters(),
               .observer = *this,
               .has_retry_policy = action_.retry != nullptr,
               .shares_connection = lease_.shares_connection()});
  const Failure failure = co_await relay.run();
  unanswered_ = relay.unanswered();
  if (failure == Failure::kNone) {
    count_status(cluster_->counters(), relay.endpoint_status());
  } else {
    failure_text_ = relay.failure_text();
    reset_status_ = relay.grpc_status();
    avoid(std::move(endpoint));
  }
  if (may_have_switched(relay.endpoint_status())) lease_.exchange().cancel();
  lease_.give_back();
  co_return failure;
}

/// An endpoint of HTTP/1 that has responded with a success to a request for another protocol: if it speaks
/// that now, no other request may go there.
bool Forward::may_have_switched(int status) const {
  return !exchange_.request().upgrade.empty() && status >= 200 && status < 300 && !lease_.shares_connection();
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
  wanted.protocol = cluster_->protocol_for(exchange_.request().version);
  wanted.fresh = connect_ == Connect::kFresh;
  wanted.tunnel =
      action_.connect == ForwardAction::Connect::kTerminate && exchange_.request().method == "CONNECT";
  wanted.avoid = tried_;
  std::shared_ptr<EndpointPool> unreached;
  wanted.unreached = &unreached;
  auto leased = co_await cluster_->lease(wanted);
  if (cancelled()) co_return Failure::kClient;
  if (unreached) {
    info_.upstream_host = unreached->text();
    info_.upstream_local_address.clear();  // of an earlier try's connection
    avoid(std::move(unreached));
  }
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

bool Forward::asks_again(const http::ResponseHead& response) {
  if (!retries_.names(response)) return false;
  by_status_ = decide(Failure::kStatus);
  const bool again = RetryState::retries(by_status_);
  if (!again) note_exhausted(by_status_);
  return again;
}

/// No endpoint works on the request any more. Its places are free before the client has the end of its
/// response, for the client may ask again at once, and at another worker.
void Forward::leave_cluster() {
  if (std::exchange(presence_, Presence::kLeft) == Presence::kInCluster)
    --cluster_->counters().upstream_rq_active;
  request_place_.give_back();
  retry_place_.give_back();
}

RetryState::Decision Forward::decide(Failure failure) const {
  const bool repeatable = !exchange_.response_started() && !cancelled() && !deadlines_.passed(loop().now()) &&
                          body_.replay.complete();
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
  if (failure == Failure::kTimeout && deadlines_.ended(loop().now())) failure = Failure::kMaxDuration;
  const bool for_cluster =
      failure != Failure::kClient && failure != Failure::kOverdue && !exchange_.response_started();
  leave_cluster();
  co_await reply_as(failure);
  // An endpoint that was not reached, or too slow, is one that failed in the eyes of the cluster.
  if (for_cluster) count_status(cluster_->counters(), local_reply(local_reply_for(failure)).status);
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
  LocalReply local = local_reply(local_reply_for(failure));
  if (failure == Failure::kReset) local.grpc_status = reset_status_;
  co_await stream_.reply(local);
}

void Forward::count_failure(Failure failure) {
  ClusterCounters& counters = cluster_->counters();
  switch (failure) {
    case Failure::kClient: ++counters.upstream_rq_cancelled; break;
    case Failure::kOverdue: ++stream_.counters().downstream_rq_timeout; break;
    case Failure::kTimeout: ++counters.upstream_rq_timeout; break;
    case Failure::kMaxDuration: stream_.counters().count(kMaxDurationReached); break;
    case Failure::kPerTryTimeout: ++counters.upstream_rq_per_try_timeout; break;
    case Failure::kReset:
    case Failure::kStale:
    case Failure::kUnprocessed:
    case Failure::kStatus: ++counters.upstream_rq_rx_reset; break;
    default: break;
  }
}

}  // namespace weft::proxy

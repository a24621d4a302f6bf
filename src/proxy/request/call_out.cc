#include "proxy/request/call_out.h"

#include <memory>
#include <utility>
#include <vector>

#include "proxy/filters/router/retry_policy.h"
#include "proxy/listener/downstream_connection.h"
#include "proxy/request/http_stream.h"
#include "proxy/upstream/upstream_cluster.h"
#include "proxy/worker_facts.h"

namespace weft::proxy {
namespace {

constexpr int kMaxTries = 2;
constexpr int kMaxInterims = 8;

Result<void> stop() { return fail(Error::internal(Code::kCancelled, "the response decides")); }

Error malformed(std::string text) { return Error::upstream(Code::kInvalid, Retry::kNever, std::move(text)); }

/// One call, over its tries. Owner: the coroutine of call_out().
class Calling {
 public:
  Calling(HttpStream& stream, std::shared_ptr<UpstreamCluster> cluster, const CallOut& call)
      : stream_(stream),
        cluster_(std::move(cluster)),
        call_(call),
        deadline_(stream.loop().now() + call.timeout) {
    ++cluster_->counters().upstream_rq_total;
    ++cluster_->counters().upstream_rq_active;
  }
  Calling(const Calling&) = delete;
  Calling& operator=(const Calling&) = delete;
  ~Calling() { --cluster_->counters().upstream_rq_active; }

  net::Task<Result<CallResponse>> run();

 private:
  net::Task<Result<void>> try_once();
  net::Task<Result<void>> lease();
  net::Task<Result<void>> send_body();
  net::Task<Result<void>> receive(Result<void>& outcome);
  net::Task<Result<void>> read_response();
  net::Task<Result<void>> read_head();
  bool may_try_again(const Error& why);
  bool cancelled() const { return stream_.cancellation().requested(); }
  void cancel();
  Error counted(Error why);

  HttpStream& stream_;
  std::shared_ptr<UpstreamCluster> cluster_;
  const CallOut& call_;
  TimePoint deadline_;
  CallResponse response_;
  WaitingLine::Handle waiting_;
  Lease lease_;
  std::vector<std::shared_ptr<EndpointPool>> unreached_;
  bool fresh_ = false;  ///< the next try takes no pooled connection
};

void Calling::cancel() {
  waiting_.give_up();
  if (lease_) lease_.exchange().cancel();
}

net::Task<Result<CallResponse>> Calling::run() {
  const Cancellation::Wait wait(stream_.cancellation(), [this] { cancel(); });
  const Place place = cluster_->take_request();
  if (!place)
    co_return fail(counted(
        Error::upstream(Code::kExhausted, Retry::kNever, "the cluster has as many requests as it may")));
  for (int tries = 1;; ++tries) {
    const Result<void> done = co_await try_once();
    if (cancelled()) {
      ++cluster_->counters().upstream_rq_cancelled;
      co_return fail(Error::downstream(Code::kCancelled, "the client has gone"));
    }
    if (done) break;
    if (tries == kMaxTries || !may_try_again(done.error())) co_return fail(counted(done.error()));
    ++cluster_->counters().upstream_rq_retry;
    lease_.give_back();
  }
  count_status(cluster_->counters(), response_.head.status);
  co_return std::move(response_);
}

/// A call without a response is one that has failed in the eyes of the cluster, as where requests go. What an
/// endpoint cancels is a reset: kCancelled is the client's.
Error Calling::counted(Error why) {
  ClusterCounters& counters = cluster_->counters();
  if (why.code == Code::kCancelled) why.code = Code::kReset;
  // A connection that is not there in time is told by the cluster's other counters.
  const bool late = why.code == Code::kTimeout && deadline_ <= stream_.loop().now();
  if (late) ++counters.upstream_rq_timeout;
  const bool cut = why.code == Code::kReset || why.code == Code::kClosed;
  if (lease_ && cut) ++counters.upstream_rq_rx_reset;
  count_status(counters, late ? 504 : 503);
  return why;
}

/// The rules of RetryState for a request without a policy.
bool Calling::may_try_again(const Error& why) {
  if (deadline_ <= stream_.loop().now()) return false;
  if (!lease_) return !unreached_.empty();
  if (why.retry != Retry::kFreshConnection) return false;
  http::ClientExchange& exchange = lease_.exchange();
  if (exchange.response_begun()) return false;
  const auto taken = exchange.taken();
  if (taken == http::ClientExchange::Taken::kNot) return true;
  fresh_ = true;
  if (taken == http::ClientExchange::Taken::kHardly) return is_idempotent(call_.head.method);
  const bool unanswered = exchange.reused() && exchange.reset_code().empty();
  return unanswered && is_safe(call_.head.method);
}

net::Task<Result<void>> Calling::try_once() {
  WEFT_CO_CHECK(co_await lease());
  http::ClientExchange& exchange = lease_.exchange();
  exchange.set_read_deadline(deadline_);
  exchange.set_write_limits(Duration::zero(), deadline_);
  WEFT_CO_CHECK(co_await exchange.send_head(call_.head, call_.body.empty()));
  Result<void> outcome;
  static_cast<void>(co_await net::both(send_body(), receive(outcome)));
  co_return outcome;
}

net::Task<Result<void>> Calling::lease() {
  UpstreamCluster::Request wanted;
  wanted.original_destination = stream_.connection().original_destination();
  wanted.deadline = deadline_;
  wanted.waiting = &waiting_;
  wanted.protocol = cluster_->protocol_for(call_.head.version);
  wanted.fresh = fresh_;
  std::vector<const EndpointPool*> avoid;
  for (const auto& each : unreached_) avoid.push_back(each.get());
  wanted.avoid = avoid;
  std::shared_ptr<EndpointPool> unreached;
  wanted.unreached = &unreached;
  auto leased = co_await cluster_->lease(wanted);
  if (unreached) unreached_.push_back(std::move(unreached));
  if (!leased) co_return fail(std::move(leased).error());
  lease_ = std::move(*leased);
  co_return Result<void>{};
}

/// What a server does not take any more is no failure: its response decides, or that none comes.
net::Task<Result<void>> Calling::send_body() {
  if (!call_.body.empty()) static_cast<void>(co_await lease_.exchange().send_body(call_.body, true));
  co_return Result<void>{};
}

/// The rest of the request is not sent once the response is there.
net::Task<Result<void>> Calling::receive(Result<void>& outcome) {
  outcome = co_await read_response();
  co_return stop();
}

net::Task<Result<void>> Calling::read_head() {
  for (int interims = 0; interims <= kMaxInterims; ++interims) {
    WEFT_CO_CHECK(co_await lease_.exchange().read_head(response_.head));
    if (response_.head.status == 101) co_return fail(malformed("a switch of protocols was not asked for"));
    if (response_.head.status >= 200) co_return Result<void>{};
  }
  co_return fail(malformed("too many interim responses"));
}

net::Task<Result<void>> Calling::read_response() {
  WEFT_CO_CHECK(co_await read_head());
  const Error too_large =
      Error::upstream(Code::kTooLarge, Retry::kNever, "the response is larger than it may be");
  const bool has_body = !lease_.exchange().response_complete();
  if (has_body && response_.head.content_length.value_or(0) > call_.max_response_bytes)
    co_return fail(too_large);
  for (bool end = !has_body; !end;) {
    WEFT_CO_TRY(const http::BodyChunk chunk, co_await lease_.exchange().read_body());
    if (chunk.data.size() > call_.max_response_bytes - response_.body.size()) co_return fail(too_large);
    response_.body.append(chunk.data);
    end = chunk.end;
  }
  co_return Result<void>{};
}

}  // namespace

net::Task<Result<CallResponse>> call_out(HttpStream& stream, CallOut call) {
  std::shared_ptr<UpstreamCluster> cluster = stream.connection().facts().clusters.find(call.cluster);
  if (!cluster)
    co_return fail(
        Error::upstream(Code::kNotFound, Retry::kNever, "there is no cluster \"" + call.cluster + "\""));
  call.head.content_length.reset();
  if (!call.body.empty() || !is_safe(call.head.method)) call.head.content_length = call.body.size();
  Calling calling(stream, std::move(cluster), call);
  co_return co_await calling.run();
}

}  // namespace weft::proxy

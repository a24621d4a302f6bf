#pragma once

#include <string>
#include <vector>

#include "http/exchange.h"
#include "proxy/filters/router/deadlines.h"
#include "proxy/filters/router/relay.h"
#include "proxy/filters/router/request_body.h"
#include "proxy/filters/router/request_time.h"
#include "proxy/filters/router/retry_state.h"
#include "proxy/routing/routing_table.h"
#include "proxy/upstream/upstream_cluster.h"

namespace weft::proxy {

class HttpStream;

/// One request on its way to an endpoint: which endpoint, how often, and what the client is told when none
/// has responded. The messages of each try are a Relay's.
///
/// Owner: the coroutine that serves the request. Thread: the worker's loop.
class Forward final : private Relay::Observer {
 public:
  /// `action` is that of the stream's route; `time` what it and the request make of each other.
  Forward(HttpStream& stream, std::shared_ptr<UpstreamCluster> cluster, const ForwardAction& action,
          const RequestTime& time);
  Forward(const Forward&) = delete;
  Forward& operator=(const Forward&) = delete;
  ~Forward() override { leave_cluster(); }

  /// Returns when the response, ours or the upstream's, is complete, or the exchange was cut.
  net::Task<void> run();

 private:
  using Failure = TryFailure;
  enum class Presence : std::uint8_t {
    kInCluster,
    kLeft
  };  ///< whether it counts among the cluster's requests
  enum class Connect : std::uint8_t { kPooled, kFresh };
  net::Task<Failure> try_once();
  void avoid(std::shared_ptr<EndpointPool> endpoint);
  bool may_have_switched(int status) const;
  net::Task<Failure> connect();
  void leave_cluster();
  net::Task<void> reply_to_failure(Failure failure);
  net::Task<void> reply_as(Failure failure);
  void count_failure(Failure failure);

  bool asks_again(const http::ResponseHead& response) override;
  void on_request_whole() override;
  void on_endpoint_done() override { leave_cluster(); }

  void prepare_request();
  void tell_time();
  RetryState::Decision decide(Failure failure) const;
  net::Task<Failure> retry_after(Failure failure, RetryState::Decision decision);
  void note_exhausted(RetryState::Decision decision);
  /// Ends the wait under way: the client disconnected.
  void cancel();
  bool cancelled() const;
  net::Loop& loop() const;

  HttpStream& stream_;
  http::ServerExchange& exchange_;
  RequestInfo& info_;
  std::shared_ptr<UpstreamCluster> cluster_;
  Place request_place_, retry_place_;
  WaitingLine::Handle waiting_;
  const ForwardAction& action_;
  const RequestTime time_;
  Lease lease_;
  std::vector<const EndpointPool*> tried_;
  std::vector<std::shared_ptr<EndpointPool>> tried_owners_;
  RequestBody body_;
  RetryState retries_;
  RetryState::Decision by_status_ =
      RetryState::Decision::kNo;  ///< of the last response that the policy names
  Deadlines deadlines_;
  Presence presence_ = Presence::kInCluster;
  Connect connect_ = Connect::kPooled;  ///< for the next try
  bool unanswered_ = false;             ///< the last try, see RetryState::Facts
  std::string failure_text_;
  std::optional<int> reset_status_;  ///< of the last try, see Relay::grpc_status()
};

}  // namespace weft::proxy

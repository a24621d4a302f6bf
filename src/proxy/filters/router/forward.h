#pragma once

#include <string>
#include <vector>

#include "http/exchange.h"
#include "proxy/filters/router/deadlines.h"
#include "proxy/filters/router/replay_buffer.h"
#include "proxy/filters/router/retry_state.h"
#include "proxy/routing/routing_table.h"
#include "proxy/upstream/upstream_cluster.h"

namespace weft::proxy {

class HttpStream;

/// One request on its way to an endpoint and its response back, with the retries in between.
///
/// Owner: the coroutine that serves the request. Thread: the worker's loop.
class Forward {
 public:
  /// `action` is that of the stream's route.
  Forward(HttpStream& stream, std::shared_ptr<UpstreamCluster> cluster, const ForwardAction& action);
  Forward(const Forward&) = delete;
  Forward& operator=(const Forward&) = delete;
  ~Forward() { leave_cluster(); }

  /// Returns when the response, ours or the upstream's, is complete, or the exchange was cut.
  net::Task<void> run();

 private:
  using Failure = TryFailure;
  net::Task<Failure> try_once();
  void avoid(std::shared_ptr<EndpointPool> endpoint);
  net::Task<Failure> connect();
  net::Task<Failure> exchange_messages(http::ClientExchange& upstream);
  net::Task<Failure> send_and_receive(http::ClientExchange& upstream);
  net::Task<Result<void>> send_body(http::ClientExchange& upstream);
  net::Task<Result<void>> receive(http::ClientExchange& upstream, Failure& failure);
  net::Task<Failure> read_response(http::ClientExchange& upstream);
  net::Task<Failure> relay(http::ClientExchange& upstream);
  void leave_cluster();
  void cut_response(const Error& why);
  net::Task<Failure> run_tunnel(http::ClientExchange& upstream);
  net::Task<void> reply_to_failure(Failure failure);
  net::Task<void> reply_as(Failure failure);
  void count_failure(Failure failure);

  void prepare_request();
  void prepare_response();
  void request_came_whole();
  void set_deadlines();
  Failure failure_of(const Error& error);
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
  Lease lease_;
  std::vector<const EndpointPool*> tried_;
  std::vector<std::shared_ptr<EndpointPool>> tried_owners_;
  ReplayBuffer replay_;
  std::unique_ptr<http::Headers> request_trailers_;  ///< once they have come
  RetryState retries_;
  RetryState::Decision by_status_ =
      RetryState::Decision::kNo;  ///< of the last response that the policy names
  Deadlines deadlines_;
  bool active_ = true;      ///< counted among the cluster's requests
  bool body_read_ = false;  ///< the request's body has been read to its end
  bool response_over_ = false, fresh_ = false, unanswered_ = false, tunnelled_ = false;
  TimePoint sent_at_;
  std::string failure_text_;
};

}  // namespace weft::proxy

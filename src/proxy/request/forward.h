#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/exchange.h"
#include "proxy/routing/routing_table.h"
#include "proxy/upstream/upstream_cluster.h"

namespace weft::proxy {

class HttpService;

/// One request on its way to an endpoint and its answer back, with the retries in between.
///
/// Owner: the coroutine that serves the request. Thread: the worker's loop.
class Forward {
 public:
  struct Plan {
    const RoutingTable& table;
    const RoutingTable::Found& found;
    const ForwardAction& action;
    const RoutingTable::CompiledCluster* chosen;  ///< null when a header named the cluster
  };
  Forward(HttpService& service, http::ServerExchange& exchange, std::shared_ptr<UpstreamCluster> cluster,
          Plan plan);
  Forward(const Forward&) = delete;
  Forward& operator=(const Forward&) = delete;
  ~Forward() { leave_cluster(); }

  /// Returns when the answer, ours or the upstream's, is complete, or the exchange was cut.
  net::Task<void> run();
  /// The client has gone. Called from the loop, never from inside run().
  void abandon();

 private:
  /// Why a try gave no answer. kNone: it gave one, or the exchange is over anyway.
  enum class Failure : std::uint8_t {
    kNone,
    kNoHost,
    kOverflow,
    kConnect,
    kConnectTimeout,
    kReset,
    kStale,  ///< a reused connection that the server had ended: it never took the request
    kProtocol,
    kTimeout,
    kPerTryTimeout,
    kStatus,
    kOverdue,
    kClient,
  };
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
  net::Task<void> answer_failure(Failure failure);
  net::Task<void> answer_as(Failure failure);

  void prepare_request();
  void prepare_response();
  void start_clock();
  Milliseconds idle_timeout() const;
  Milliseconds idle_or_stall_timeout() const;
  void start_try_clock();
  void set_deadlines();
  Failure failure_of(const Error& error);
  static bool is_connect(Failure failure);
  bool may_retry(Failure failure) const;
  bool place_for_retry() const;
  TimePoint waiting_deadline() const;
  void begin_retry(Failure failure);
  void note_exhausted(Failure failure);
  bool policy_retries(Failure failure) const;
  Duration back_off();
  void finish_connection();
  net::Loop& loop() const;

  HttpService& service_;
  http::ServerExchange& exchange_;
  std::shared_ptr<UpstreamCluster> cluster_;
  Place request_place_, retry_place_;
  WaitingLine::Handle waiting_;
  Plan plan_;
  std::unique_ptr<UpstreamConnection> connection_;
  std::vector<const EndpointPool*> tried_;
  std::vector<std::shared_ptr<EndpointPool>> tried_owners_;
  std::string replay_;        ///< what of the body was read, while another try may need it
  bool replay_whole_ = true;  ///< false: more was read than is kept
  bool active_ = true;        ///< counted among the cluster's requests
  bool body_read_ = false;    ///< the request's body has been read to its end
  bool response_over_ = false, gone_ = false, per_try_ = false, fresh_ = false, unanswered_ = false,
       body_begun_ = false, tunnelled_ = false;
  std::uint32_t retries_done_ = 0, default_retries_done_ = 0;
  TimePoint deadline_ = kNever;      ///< of the whole response, from the request's last byte on
  TimePoint try_deadline_ = kNever;  ///< of this try, likewise
  TimePoint sent_at_;
  std::string failure_text_;
};

}  // namespace weft::proxy

#pragma once

#include "http/exchange.h"
#include "http/h1/server_connection.h"
#include "proxy/listener/compiled_listener.h"
#include "proxy/log/request_info.h"
#include "proxy/stats/counters.h"

namespace weft::proxy {

class DownstreamConnection;
class Forward;
class UpstreamCluster;

/// Serves the requests of one connection: headers, route, action, answer, counters, log line.
///
/// Owner: its DownstreamConnection, for as long as HTTP is spoken. Thread: the worker's loop.
class HttpService final : private http::h1::ServerConnection::Observer {
 public:
  explicit HttpService(DownstreamConnection& connection);
  net::Task<void> run();
  void drain();
  void take_leave();
  /// Gives up what is done upstream for the present request.
  void abandon();

 private:
  /// From the next request on this connection goes by that chain.
  void follow(std::shared_ptr<const CompiledChain> chain);
  net::Task<void> handle(http::ServerExchange& exchange);
  net::Task<void> answer(http::ServerExchange& exchange, const std::shared_ptr<const RoutingTable>& table);
  [[nodiscard]] bool misdirected(const http::RequestHead& head) const;
  /// Makes the path what rules and the upstream see. False: the request is answered.
  net::Task<bool> settle_target(http::ServerExchange& exchange);
  /// The present request has not come whole within request_timeout.
  bool overdue() const;
  /// What the route says, as the task of that: no frame of its own.
  net::Task<void> act(http::ServerExchange& exchange, const RoutingTable& table,
                      const RoutingTable::Found& found);
  /// Null: none is ever injected here, which costs a request nothing.
  const Fault* fault_of(const Route& route) const;
  /// Waits, answers, or neither. True: the request may go on.
  net::Task<bool> inject(http::ServerExchange& exchange, const Fault& fault);
  net::Task<bool> wait_on_purpose(http::ServerExchange& exchange, Duration delay);
  /// Calls abandon() when the client goes while nobody reads from it.
  void watch_client(http::ServerExchange& exchange);
  void apply_response_rules();
  net::Task<void> redirect(http::ServerExchange& exchange, const RoutingTable::Found& found,
                           const RedirectAction& action);
  net::Task<void> direct(http::ServerExchange& exchange, const RoutingTable::Found& found,
                         const DirectAction& action);
  net::Task<void> forward(http::ServerExchange& exchange, const RoutingTable& table,
                          const RoutingTable::Found& found, const ForwardAction& action);
  /// A whole answer of our own.
  net::Task<void> reply(http::ServerExchange& exchange, int status, std::string_view body,
                        std::string_view details);
  /// The first protocol of the list that may be spoken; empty when there is none.
  std::string_view allowed_upgrade(const RoutingTable::Found& found, std::string_view list) const;
  bool upgrade_allowed(const RoutingTable::Found& found, std::string_view upgrade) const;
  void begin(http::ServerExchange& exchange);
  void end(http::ServerExchange& exchange);
  void on_refused(const http::h1::Refusal& refusal, const http::RequestHead& head) override;

  friend class Forward;
  DownstreamConnection& connection_;
  std::shared_ptr<const CompiledChain>
      chain_;                 ///< what the present request goes by, whatever comes meanwhile
  const HttpConfig* config_;  ///< of chain_
  http::h1::ServerConnectionOptions options_;
  http::h1::ServerConnection codec_;
  HttpCounters& counters_;
  RequestInfo info_;
  http::ResponseHead response_;
  /// Whose header rules a response of our own has; null before a route is found.
  struct {
    const RoutingTable* table = nullptr;
    const RoutingTable::CompiledHost* host = nullptr;
    const RoutingTable::CompiledRoute* route = nullptr;
    const RoutingTable::CompiledCluster* cluster = nullptr;  ///< once one of several is drawn
  } rules_;
  Forward* forwarding_ = nullptr;
  net::Loop::SleepAwaiter* delaying_ = nullptr;
  bool ended_ = false;
  bool client_gone_ = false;  ///< it went while its request was delayed
};

}  // namespace weft::proxy

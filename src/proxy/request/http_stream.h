#pragma once

#include <memory>
#include <optional>

#include "base/random.h"
#include "http/exchange.h"
#include "proxy/filters/exchange_filter.h"
#include "proxy/filters/http_filter.h"
#include "proxy/listener/compiled_listener.h"
#include "proxy/log/request_info.h"
#include "proxy/request/cancellation.h"
#include "proxy/request/local_reply.h"
#include "proxy/stats/counters.h"

namespace weft::proxy {

class DownstreamConnection;
class HttpService;

/// One request and its response, and all that is known of them: headers, route, action, response, counters,
/// log line. It goes by the chain and the route table of its beginning, whatever is applied meanwhile.
///
/// Owner: the coroutine that serves the exchange. Thread: the worker's loop. How it ends: with that
/// coroutine; cancellation() ends what it waits for.
class HttpStream {
 public:
  /// Serves `exchange` from its head to its log line.
  static net::Task<void> serve(HttpService& service, http::ServerExchange& exchange);
  HttpStream(const HttpStream&) = delete;
  HttpStream& operator=(const HttpStream&) = delete;
  ~HttpStream() { --counters_.downstream_rq_active; }

  /// The client, or what a filter has put before it.
  http::ServerExchange& exchange() { return *exchange_; }
  http::RequestHead& request() { return exchange_->request(); }
  /// The head of the response, as far as it is made.
  http::ResponseHead& response() { return response_; }
  RequestInfo& info() { return info_; }
  const HttpConfig& config() const { return *chain_->http(); }
  const CompiledChain& chain() const { return *chain_; }
  DownstreamConnection& connection() { return connection_; }
  HttpCounters& counters() { return counters_; }
  Cancellation& cancellation() { return cancellation_; }
  net::Loop& loop() const;
  Random& random() const;

  /// False while the route table has not come.
  bool has_routes() const { return table_ != nullptr; }
  const RoutingTable& table() const { return *table_; }
  /// The host and route that the request goes by; null where none fits.
  const RoutingTable::Found& route() const { return route_; }
  /// The cluster of several that was drawn for it, whose header rules hold too; null: a header named another.
  const RoutingTable::CompiledCluster* chosen() const { return cluster_; }
  void choose(const RoutingTable::CompiledCluster* cluster) { cluster_ = cluster; }

  /// The request has not come whole within request_timeout.
  bool overdue() const;
  /// A whole response of our own; one that has begun already is cut.
  net::Task<void> reply(LocalReplyKind kind);
  net::Task<void> reply(LocalReply local);
  /// Makes response() what leaves: header rules of the route, content type where none is said, filters,
  /// server and date.
  void prepare_response(std::string_view default_content_type = {});
  /// The response does without what routes say of responses.
  void forget_response_rules() { without_rules_ = true; }
  /// From now on the client is read and written through `filter`. For HttpFilter::on_request().
  void filter_exchange(std::unique_ptr<ExchangeFilter> filter);
  /// Ends the exchange, and says so in the log.
  void client_disconnected();

 private:
  HttpStream(HttpService& service, http::ServerExchange& exchange);
  void end();
  [[nodiscard]] bool misdirected() const;
  /// Makes the path what rules and the upstream see, or says why the request goes no further.
  std::optional<LocalReplyKind> settle_target();
  /// Or says why what the request asks for is not given.
  std::optional<LocalReplyKind> find_route();
  /// The first protocol of the list that may be spoken; empty when there is none.
  std::string_view allowed_upgrade(std::string_view list) const;
  bool may_connect() const;
  bool responds_with_success() const;
  const HttpFilter& filter_for(const HttpFilters::Named& of_chain) const;
  net::Task<void> run_filters();
  void apply_response_rules();
  net::Task<void> reply_to_call(const LocalReply& local);

  DownstreamConnection& connection_;
  http::ServerExchange* exchange_;
  std::unique_ptr<ExchangeFilter> exchange_filter_;  ///< the one that was put in last
  HttpCounters& counters_;
  std::shared_ptr<const CompiledChain> chain_;
  std::shared_ptr<const RoutingTable> table_;  ///< null while the routes have not come
  RequestInfo info_;
  http::ResponseHead& response_;  ///< the exchange's
  Cancellation cancellation_;
  RoutingTable::Found route_;
  const RoutingTable::CompiledCluster* cluster_ = nullptr;
  bool without_rules_ = false;
};

}  // namespace weft::proxy

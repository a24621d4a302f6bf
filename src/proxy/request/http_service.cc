#include "proxy/request/http_service.h"

#include <algorithm>

#include "base/strings.h"
#include "proxy/listener/downstream_connection.h"
#include "proxy/request/forward.h"
#include "proxy/request/request_headers.h"
#include "proxy/routing/path_normal.h"
#include "proxy/worker.h"

namespace weft::proxy {
namespace {

http::h1::ServerConnectionOptions options_of(const HttpConfig& config) {
  http::h1::ServerConnectionOptions options;
  options.limits.head_bytes = config.max_request_headers_bytes;
  options.limits.fields = config.max_request_headers_count;
  options.limits.request_line_bytes = config.max_request_headers_bytes;
  options.accept_http10 = config.accept_http10;
  options.idle_timeout = config.idle_timeout;
  options.header_timeout = config.request_headers_timeout;
  options.body_timeout =
      config.stream_idle_timeout.count() ? config.stream_idle_timeout : config.stall_timeout;
  options.request_timeout = config.request_timeout;
  options.max_requests = config.max_requests_per_connection;
  options.server_name = config.server_name;
  return options;
}

const RedirectAction& redirect_to_tls() {
  static const RedirectAction kAction = [] {
    RedirectAction action;
    action.scheme = "https";
    return action;
  }();
  return kAction;
}

bool contains_ignoring_case(const std::vector<std::string>& list, std::string_view text) {
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& one) { return http::equal_ignoring_case(one, text); });
}

/// RFC 9112 §3.3: who names no host means where he connected to. HTTP/1.1 has to name one.
void name_host(http::RequestHead& head, const ConnectionInfo& connection) {
  if (head.version == http::Version::k10 && head.authority.empty() && connection.local.is_ip())
    head.authority = connection.local_text;
}

}  // namespace

HttpService::HttpService(DownstreamConnection& connection)
    : connection_(connection),
      chain_(connection.current_chain()),
      config_(chain_->http()),
      options_(options_of(*config_)),
      codec_(connection.socket(), options_, this),
      counters_(connection.worker().http_counters(config_->stat_prefix)) {
  Worker& worker = connection.worker();
  if (worker.is_draining() && connection.socket().quiet())
    drain();
  else if (worker.is_draining() || worker.is_leaving(*connection.listener().config) ||
           connection.left_behind())
    take_leave();  // what has come already is answered
}

net::Task<void> HttpService::run() {
  ++counters_.downstream_cx_total;
  ++counters_.downstream_cx_active;
  struct Active {
    HttpCounters& counters;
    ~Active() { --counters.downstream_cx_active; }
  } active{counters_};
  const http::Handler handler = [this](http::ServerExchange& exchange) { return handle(exchange); };
  co_await codec_.serve(handler);
}

void HttpService::drain() { codec_.drain(); }

void HttpService::take_leave() { codec_.end_with_next_answer(); }

void HttpService::abandon() {
  if (delaying_) {
    client_gone_ = true;
    delaying_->timer.arm(connection_.socket().loop().now());
  } else if (forwarding_) {
    forwarding_->abandon();  // may end the connection, and this with it
  }
}

void HttpService::watch_client(http::ServerExchange& exchange) {
  Worker& worker = connection_.worker();
  exchange.on_abandoned([&worker, id = connection_.info().id] {
    worker.loop().defer([&worker, id] {
      if (DownstreamConnection* const connection = worker.connection(id)) connection->abandon();
    });
  });
}

void HttpService::begin(http::ServerExchange& exchange) {
  ++counters_.downstream_rq_total;
  ++counters_.downstream_rq_active;
  info_ = RequestInfo{};
  info_.connection = &connection_.info();
  info_.request = &exchange.request();
  info_.started_at = std::chrono::system_clock::now();
  info_.started = connection_.socket().loop().now();
  if (exchange.request_complete()) info_.request_done = info_.started;
  response_.clear();
  ended_ = false;
}

/// Called while everything that the log line shows is still there.
void HttpService::end(http::ServerExchange& exchange) {
  ended_ = true;
  info_.ended = connection_.socket().loop().now();
  info_.bytes_received = exchange.body_bytes_received();
  info_.bytes_sent = exchange.body_bytes_sent();
  --counters_.downstream_rq_active;
  counters_.downstream_cx_rx_bytes_total += info_.bytes_received;
  counters_.downstream_cx_tx_bytes_total += info_.bytes_sent;
  count_status(counters_, info_.status);
  connection_.worker().logs().write(chain_->logs, info_);
}

bool HttpService::overdue() const {
  return config_->request_timeout.count() &&
         connection_.socket().loop().now() >= info_.started + config_->request_timeout;
}

/// RFC 9110 §7.4: what is asked for by https: is not given to who came without TLS. Behind trusted hops, and
/// in the mesh, a peer may have had TLS from its client.
bool HttpService::misdirected(const http::RequestHead& head) const {
  return config_->use_remote_address && config_->trusted_hops == 0 && head.scheme == "https";
}

net::Task<bool> HttpService::settle_target(http::ServerExchange& exchange) {
  http::RequestHead& head = exchange.request();
  if (misdirected(head)) {
    co_await reply(exchange, 403, "https: without TLS", "http1.invalid_scheme");
    co_return false;
  }
  const PathVerdict verdict = settle_path(head.path, *config_);
  if (verdict == PathVerdict::kForward) co_return true;
  if (verdict == PathVerdict::kReject) {
    co_await reply(exchange, 400, {}, "path_normalization_failed");
    co_return false;
  }
  // Whole, for a path that begins with two slashes would be taken for another host (RFC 3986 §4.2).
  response_.headers.add("location", head.scheme + "://" + head.authority + head.path);
  co_await reply(exchange, 307, {}, "path_normalization_failed");
  co_return false;
}

void HttpService::follow(std::shared_ptr<const CompiledChain> chain) {
  chain_ = std::move(chain);
  config_ = chain_->http();
  options_ = options_of(*config_);
  codec_.follow_options();
}

net::Task<void> HttpService::handle(http::ServerExchange& exchange) {
  begin(exchange);
  if (!connection_.goes_by(chain_.get())) follow(connection_.current_chain());
  name_host(exchange.request(), connection_.info());
  prepare_request(exchange.request(), *config_, info_, connection_.worker().random());
  // The table of the beginning is the request's own: what its routes point into lives as long as it does.
  const std::shared_ptr<const RoutingTable> table = connection_.routes();
  const bool settled = co_await settle_target(exchange);
  if (!settled) {
    // answered
  } else if (!table) {
    info_.flags.set(Flag::kNoRoute);
    ++counters_.no_route;
    co_await reply(exchange, 404, {}, "route_configuration_not_found");
  } else {
    co_await answer(exchange, table);
  }
  rules_ = {};
  if (!ended_) end(exchange);
  // An idle connection holds no old cluster and no old table.
  info_.cluster.reset();
  info_.route_name.reset();
}

net::Task<void> HttpService::answer(http::ServerExchange& exchange,
                                    const std::shared_ptr<const RoutingTable>& table) {
  http::RequestHead& head = exchange.request();
  if (head.method == "CONNECT") {
    co_await reply(exchange, 404, {}, "route_not_found");
    co_return;
  }
  const RoutingTable::Found found = table->find(head, connection_.worker().random());
  if (!found.route) {
    info_.flags.set(Flag::kNoRoute);
    ++counters_.no_route;
    co_await reply(exchange, 404, {}, "route_not_found");
    co_return;
  }
  const Route& route = *found.route->config;
  info_.route_name = {table, &route.name};
  rules_ = {table.get(), found.host, found.route, nullptr};
  // RFC 9110 §7.8: an upgrade is an offer, of a list of protocols; it may be ignored.
  if (!head.upgrade.empty()) head.upgrade = std::string(allowed_upgrade(found, head.upgrade));
  if (const Fault* const fault = fault_of(route)) {
    const bool goes_on = co_await inject(exchange, *fault);
    if (!goes_on) co_return;
  }
  co_await act(exchange, *table, found);
}

const Fault* HttpService::fault_of(const Route& route) const {
  if (!config_->fault) return nullptr;
  const Fault& fault = route.fault ? *route.fault : *config_->fault;
  return fault.delays_per_million || fault.aborts_per_million ? &fault : nullptr;
}

net::Task<bool> HttpService::inject(http::ServerExchange& exchange, const Fault& fault) {
  constexpr std::uint64_t kMillion = 1'000'000;
  Random& random = connection_.worker().random();
  if (fault.delays_per_million && random.below(kMillion) < fault.delays_per_million) {
    info_.flags.set(Flag::kDelayInjected);
    ++counters_.fault_delays_injected;
    const bool still_there = co_await wait_on_purpose(exchange, fault.delay);
    if (!still_there) co_return false;
  }
  if (fault.aborts_per_million && random.below(kMillion) < fault.aborts_per_million) {
    info_.flags.set(Flag::kFaultInjected);
    ++counters_.fault_aborts_injected;
    co_await reply(exchange, fault.abort_status, "fault filter abort", "fault_filter_abort");
    co_return false;
  }
  co_return true;
}

net::Task<bool> HttpService::wait_on_purpose(http::ServerExchange& exchange, Duration delay) {
  watch_client(exchange);
  net::Loop::SleepAwaiter sleeping = connection_.socket().loop().sleep(delay);
  delaying_ = &sleeping;
  client_gone_ = false;
  co_await sleeping;
  delaying_ = nullptr;
  exchange.on_abandoned({});
  if (!client_gone_) co_return true;
  info_.flags.set(Flag::kDownstreamTerminated);
  info_.details = "downstream_remote_disconnect";
  exchange.reset();
  co_return false;
}

net::Task<void> HttpService::act(http::ServerExchange& exchange, const RoutingTable& table,
                                 const RoutingTable::Found& found) {
  const Route& route = *found.route->config;
  if (found.host->config->require_tls && !came_by_tls(exchange.request().headers)) {
    rules_ = {};  // of what only TLS may say, say Strict-Transport-Security (RFC 6797 §7.2)
    return redirect(exchange, found, redirect_to_tls());
  }
  if (const auto* redirection = std::get_if<RedirectAction>(&route.action))
    return redirect(exchange, found, *redirection);
  if (const auto* made = std::get_if<DirectAction>(&route.action)) return direct(exchange, found, *made);
  return forward(exchange, table, found, std::get<ForwardAction>(route.action));
}

std::string_view HttpService::allowed_upgrade(const RoutingTable::Found& found, std::string_view list) const {
  for (std::string_view protocol : split(list, ',')) {
    protocol = trim(protocol);
    if (!protocol.empty() && upgrade_allowed(found, protocol)) return protocol;
  }
  return {};
}

bool HttpService::upgrade_allowed(const RoutingTable::Found& found, std::string_view upgrade) const {
  if (contains_ignoring_case(config_->upgrades, upgrade)) return true;
  const auto* action = std::get_if<ForwardAction>(&found.route->config->action);
  return action && contains_ignoring_case(action->upgrades, upgrade);
}

/// What the rules want on every response of a route, also on our own, from the narrowest to the widest.
void HttpService::apply_response_rules() {
  if (!rules_.table) return;
  if (rules_.cluster) rules_.cluster->response.apply(response_.headers, info_);
  rules_.route->response.apply(response_.headers, info_);
  rules_.host->response.apply(response_.headers, info_);
  rules_.table->response.apply(response_.headers, info_);
}

net::Task<void> HttpService::redirect(http::ServerExchange& exchange, const RoutingTable::Found& found,
                                      const RedirectAction& action) {
  response_.clear();
  response_.headers.add("location", redirect_location(*found.route->config, action, exchange.request()));
  co_await reply(exchange, action.status, {}, "direct_response");
}

net::Task<void> HttpService::direct(http::ServerExchange& exchange, const RoutingTable::Found& found,
                                    const DirectAction& action) {
  response_.clear();
  // RFC 9110 §10.2.2: what was created, or where to go instead, is named; without another address it is this
  // one.
  if (action.status == 201 || (action.status >= 300 && action.status < 400 && action.status != 304))
    response_.headers.add("location",
                          redirect_location(*found.route->config, RedirectAction{}, exchange.request()));
  co_await reply(exchange, action.status, action.body, "direct_response");
}

net::Task<void> HttpService::forward(http::ServerExchange& exchange, const RoutingTable& table,
                                     const RoutingTable::Found& found, const ForwardAction& action) {
  if (!count_forward(exchange.request())) {
    const bool options = exchange.request().method == "OPTIONS";
    co_await reply(exchange, options ? 200 : 405, {}, "max_forwards_reached");
    co_return;
  }
  const RoutingTable::CompiledCluster* chosen = nullptr;
  std::string name;
  if (!action.cluster_header.empty()) {
    name = exchange.request().headers.get(action.cluster_header).value_or("");
  } else if ((chosen = draw_cluster(*found.route, connection_.worker().random()))) {
    name = chosen->config->cluster;
    rules_.cluster = chosen;
  }
  std::shared_ptr<UpstreamCluster> cluster = connection_.worker().cluster(name);
  if (!cluster) {
    if (chosen) info_.missing_cluster = std::move(name);
    info_.flags.set(Flag::kNoCluster);
    co_await reply(exchange, action.cluster_not_found_status, {}, "cluster_not_found");
    co_return;
  }
  info_.cluster = cluster->shared_config();
  Forward forwarding(*this, exchange, std::move(cluster), {table, found, action, chosen});
  forwarding_ = &forwarding;
  co_await forwarding.run();
  forwarding_ = nullptr;
  end(exchange);
}

net::Task<void> HttpService::reply(http::ServerExchange& exchange, int status, std::string_view body,
                                   std::string_view details) {
  info_.details = details;
  info_.status = status;
  if (exchange.response_started()) {
    exchange.reset();
    co_return;
  }
  response_.status = status;
  response_.reason.clear();
  response_.content_length = body.size();
  apply_response_rules();
  if (!body.empty() && !response_.headers.get("content-type"))
    response_.headers.add("content-type", "text/plain");
  finish_response(response_, *config_);
  info_.response = &response_;
  const bool bodiless = body.empty() || status == 204 || status == 304;
  // RFC 9110 §8.6: a 304 would tell the length of the representation, which nobody knows here.
  if (bodiless) response_.content_length = status == 204 || status == 304 ? std::nullopt : std::optional(0ul);
  Result<void> sent = co_await exchange.send_head(response_, bodiless);
  if (sent && !bodiless) sent = co_await exchange.send_body(body, true);
  if (!sent) info_.flags.set(Flag::kDownstreamTerminated);
}

void HttpService::on_refused(const http::h1::Refusal& refusal, const http::RequestHead& head) {
  ++counters_.downstream_cx_protocol_error;
  info_.flags.set(Flag::kDownstreamProtocolError);
  if (codec_.in_request()) return;  // the request's own line tells
  ++counters_.downstream_rq_total;
  if (refusal.status == 408) ++counters_.downstream_rq_timeout;
  RequestInfo info;
  info.connection = &connection_.info();
  info.request = &head;
  info.started_at = std::chrono::system_clock::now();
  info.started = info.ended = connection_.socket().loop().now();
  info.status = refusal.status;
  info.flags.set(Flag::kDownstreamProtocolError);
  info.details_text = "http1.refused{" + std::string(refusal.rule) + "}";
  count_status(counters_, refusal.status);
  connection_.worker().logs().write(connection_.current_chain()->logs, info);
}

}  // namespace weft::proxy

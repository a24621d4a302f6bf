#include "proxy/request/http_stream.h"

#include <algorithm>

#include "base/strings.h"
#include "http/websocket.h"
#include "proxy/filters/router/router.h"
#include "proxy/listener/downstream_connection.h"
#include "proxy/request/grpc.h"
#include "proxy/request/http_service.h"
#include "proxy/request/request_headers.h"
#include "proxy/routing/path_normal.h"
#include "proxy/worker_facts.h"

namespace weft::proxy {
namespace {

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

HttpStream::HttpStream(HttpService& service, http::ServerExchange& exchange)
    : connection_(service.connection()),
      exchange_(&exchange),
      counters_(service.counters()),
      chain_(service.chain()),
      table_(connection_.routes()),
      response_(exchange.response()),
      cancellation_(connection_.stream().loop()) {
  ++counters_.downstream_rq_total;
  ++counters_.downstream_rq_active;
  info_.connection = &connection_.info();
  info_.request = &exchange.request();
  info_.started_at = std::chrono::system_clock::now();
  info_.started = loop().now();
  if (exchange.request_complete()) info_.request_done = info_.started;
  exchange.on_disconnect([this] { cancellation_.request(); });
}

/// Called while everything that the log line shows is still there.
void HttpStream::end() {
  info_.ended = loop().now();
  if (exchange_->rejection()) info_.flags.set(Flag::kDownstreamProtocolError);
  info_.bytes_received = exchange_->body_bytes_received();
  info_.bytes_sent = exchange_->body_bytes_sent();
  for (const HttpFilters::Named& each : chain_->filters.list())
    if (const HttpFilter& filter = filter_for(each); filter.hooks().end) filter.on_end(*this);
  for (const auto& observer : chain_->observers) observer->on_end(*this);
}

net::Loop& HttpStream::loop() const { return connection_.stream().loop(); }

Random& HttpStream::random() const { return connection_.facts().random; }

net::Task<void> HttpStream::serve(HttpService& service, http::ServerExchange& exchange) {
  HttpStream stream(service, exchange);
  name_host(exchange.request(), stream.connection_.info());
  prepare_request(exchange.request(), stream.config(), stream.info_, stream.random());
  auto rejection = stream.settle_target();
  if (!rejection) rejection = stream.find_route();
  if (rejection)
    co_await stream.reply(*rejection);
  else if (stream.chain_->filters.list().empty())
    co_await run_route(stream);
  else
    co_await stream.run_filters();
  stream.end();
}

bool HttpStream::overdue() const {
  return config().request_timeout.count() && loop().now() >= info_.started + config().request_timeout;
}

/// RFC 9110 §7.4: what is asked for by https: is not given to who came without TLS. Behind trusted hops, and
/// in the mesh, a peer may have had TLS from its client.
bool HttpStream::misdirected() const {
  return config().use_remote_address && config().trusted_hops == 0 && exchange_->request().scheme == "https";
}

std::optional<LocalReplyKind> HttpStream::settle_target() {
  http::RequestHead& head = exchange_->request();
  if (misdirected()) return LocalReplyKind::kSchemeWithoutTls;
  switch (settle_path(head.path, config())) {
    case PathVerdict::kForward: return std::nullopt;
    case PathVerdict::kReject: return LocalReplyKind::kPathRejected;
    case PathVerdict::kRedirect: break;
  }
  // Whole, for a path that begins with two slashes would be taken for another host (RFC 3986 §4.2).
  response_.headers.add("location", head.scheme + "://" + head.authority + head.path);
  return LocalReplyKind::kPathRedirected;
}

std::optional<LocalReplyKind> HttpStream::find_route() {
  http::RequestHead& head = exchange_->request();
  if (!table_) return std::nullopt;
  route_ = table_->find(head, random());
  if (!route_.route) return std::nullopt;
  info_.route_name = {table_, &route_.route->config->name};
  if (head.method == "CONNECT" && (!may_connect() || responds_with_success()))
    return LocalReplyKind::kUpgradeRejected;
  if (head.upgrade.empty()) return std::nullopt;
  // RFC 9110 §7.8: an upgrade is an offer, of a list of protocols; it may be ignored. But an extended CONNECT
  // asks for nothing else.
  std::string allowed(allowed_upgrade(head.upgrade));
  if (head.version == http::Version::k2 && (allowed.empty() || responds_with_success()))
    return LocalReplyKind::kUpgradeRejected;
  head.upgrade = std::move(allowed);
  if (http::websocket::is_token_of(head.upgrade) && (head.method != "GET" || !exchange_->request_complete()))
    return LocalReplyKind::kWebSocketMalformed;
  return std::nullopt;
}

/// A route's own filter stands in for the chain's of that name.
const HttpFilter& HttpStream::filter_for(const HttpFilters::Named& of_chain) const {
  if (!route_.route || route_.route->filters.list().empty()) return *of_chain.filter;
  const HttpFilter* const own = route_.route->filters.find(of_chain.name);
  return own ? *own : *of_chain.filter;
}

net::Task<void> HttpStream::run_filters() {
  for (const HttpFilters::Named& each : chain_->filters.list()) {
    const HttpFilter& filter = filter_for(each);
    if (!filter.hooks().request) continue;
    if (co_await filter.on_request(*this) == FilterStatus::kStop) co_return;
  }
  co_await run_route(*this);
}

bool HttpStream::may_connect() const {
  const auto* action = std::get_if<ForwardAction>(&route_.route->config->action);
  return !action || config().connect || action->connect != ForwardAction::Connect::kAsListener;
}

/// A success of our own would say that there is a tunnel behind it.
bool HttpStream::responds_with_success() const {
  const auto* made = std::get_if<DirectAction>(&route_.route->config->action);
  return made && made->status < 300;
}

std::string_view HttpStream::allowed_upgrade(std::string_view list) const {
  const auto* action = std::get_if<ForwardAction>(&route_.route->config->action);
  for (std::string_view protocol : split(list, ',')) {
    protocol = trim(protocol);
    if (protocol.empty()) continue;
    if (contains_ignoring_case(config().upgrades, protocol)) return protocol;
    if (action && contains_ignoring_case(action->upgrades.all(), protocol)) return protocol;
  }
  return {};
}

/// From the narrowest to the widest.
void HttpStream::apply_response_rules() {
  if (!route_.route || without_rules_) return;
  if (cluster_) cluster_->response.apply(response_.headers, info_);
  route_.route->response.apply(response_.headers, info_);
  route_.host->response.apply(response_.headers, info_);
  table_->response.apply(response_.headers, info_);
}

void HttpStream::prepare_response(std::string_view default_content_type) {
  info_.response = &response_;
  apply_response_rules();
  if (!default_content_type.empty() && !response_.headers.get("content-type"))
    response_.headers.add("content-type", default_content_type);
  const auto& filters = chain_->filters.list();
  for (auto each = filters.rbegin(); each != filters.rend(); ++each)
    if (const HttpFilter& filter = filter_for(*each); filter.hooks().response) filter.on_response(*this);
  for (ExchangeFilter* each = exchange_filter_.get(); each; each = each->nearer_to_client())
    each->on_response(response_);
  finish_response(response_, config());
}

void HttpStream::filter_exchange(std::unique_ptr<ExchangeFilter> filter) {
  filter->stand_before(*exchange_, std::move(exchange_filter_));
  exchange_filter_ = std::move(filter);
  exchange_ = exchange_filter_.get();
}

void HttpStream::client_disconnected() {
  info_.flags.set(Flag::kDownstreamTerminated);
  info_.details = "downstream_remote_disconnect";
  exchange_->reset();
}

net::Task<void> HttpStream::reply(LocalReplyKind kind) { return reply(local_reply(kind)); }

net::Task<void> HttpStream::reply(LocalReply local) {
  info_.details = local.details;
  info_.flags.set(local.flag);
  if (exchange_->response_started()) {
    exchange_->reset();
    co_return;
  }
  if (is_grpc(exchange_->request())) co_return co_await reply_to_call(local);
  info_.status = local.status;
  response_.status = local.status;
  response_.reason.clear();
  response_.content_length = local.body.size();
  prepare_response(local.body.empty() ? "" : "text/plain");
  const bool no_content = local.status == 204 || local.status == 304;
  const bool bodiless = local.body.empty() || no_content;
  // RFC 9110 §8.6: a 304 would tell the length of the representation, which is not known here.
  if (bodiless) response_.content_length = no_content ? std::nullopt : std::optional(0ul);
  Result<void> sent = co_await exchange_->send_head(response_, bodiless);
  if (sent && !bodiless) sent = co_await exchange_->send_body(local.body, true);
  if (!sent) info_.flags.set(Flag::kDownstreamTerminated);
}

/// A client of gRPC looks for the status of its call in a response that is nothing but a head
/// (Trailers-Only).
net::Task<void> HttpStream::reply_to_call(const LocalReply& local) {
  info_.status = response_.status = 200;
  info_.grpc_status = local.grpc_status.value_or(grpc_status_of(local.status));
  response_.reason.clear();
  response_.content_length = 0;
  response_.headers.set("content-type", "application/grpc");
  response_.headers.set("grpc-status", std::to_string(*info_.grpc_status));
  if (!local.body.empty()) response_.headers.set("grpc-message", grpc_message(local.body));
  prepare_response();
  const Result<void> sent = co_await exchange_->send_head(response_, true);
  if (!sent) info_.flags.set(Flag::kDownstreamTerminated);
}

}  // namespace weft::proxy

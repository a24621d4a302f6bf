#include "pod/status_server.h"

#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "net/reply.h"

namespace weft::pod {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kPrometheus = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::size_t kMaxConnections = 64;
/// How long the application may take for its metrics; less when Prometheus itself waits less.
constexpr Duration kScrapeTimeout = 5s;

http::ServerOptions bounded() {
  http::ServerOptions options;
  options.max_connections = kMaxConnections;
  options.session.limits.head_bytes = 16 * 1024;
  options.session.idle_timeout = 60s;
  options.session.header_timeout = 5s;
  options.session.body_timeout = 10s;
  options.response_timeout = 30s;
  return options;
}

/// Loopback, also as an IPv6 socket shows IPv4's (RFC 4291 §2.5.5.2).
bool is_local(const net::Address& peer) { return peer.is_loopback() || peer.ip().starts_with("::ffff:127."); }

Duration scrape_timeout(const http::RequestHead& request) {
  const auto text = request.headers.get("x-prometheus-scrape-timeout-seconds");
  double seconds = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (!(seconds > 0 && seconds < 60)) return kScrapeTimeout;
  // What is left goes to the response itself.
  const auto max = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds * 0.8));
  return std::min(max, kScrapeTimeout);
}

net::Task<void> say(http::ServerExchange& exchange, int status, std::string_view text) {
  static_cast<void>(co_await http::respond(exchange, status, kText, text));
}

}  // namespace

StatusServer::StatusServer(net::Loop& loop, Hooks hooks, ApplicationProbes probes,
                           std::optional<ApplicationMetrics> metrics)
    : loop_(loop), hooks_(std::move(hooks)), probes_(std::move(probes)), metrics_(std::move(metrics)) {}

Result<net::Address> StatusServer::listen(const net::Address& at, Pages pages) {
  http::PeerHandler handler;
  using Exchange = http::ServerExchange;
  using Peer = const net::Address&;
  if (pages == Pages::kAll)
    handler = [this](Exchange& exchange, Peer peer) { return everything(exchange, peer); };
  else if (pages == Pages::kHealth)
    handler = [this](Exchange& exchange, Peer peer) { return health(exchange, peer); };
  else
    handler = [this](Exchange& exchange, Peer peer) { return own_metrics(exchange, peer); };
  auto made = http::Server::listen(loop_, at, std::move(handler), bounded());
  if (!made) return fail(std::move(made).error().with_context("status"));
  servers_.push_back(std::move(*made));
  return servers_.back()->address();
}

net::Task<void> StatusServer::everything(http::ServerExchange& exchange, const net::Address& peer) {
  const std::string path(http::path_of(exchange.request().path));
  if (path == "/healthz/ready")
    co_await ready(exchange);
  else if (path.starts_with("/app-health/") || path.starts_with("/app-lifecycle/"))
    co_await probe(exchange);
  else if (path == "/stats/prometheus" || path == "/metrics")
    co_await metrics(exchange, true);
  else if (path == "/drain" || path == "/quitquitquit")
    co_await change(exchange, peer);
  else
    co_await say(exchange, 404,
                 "here are /healthz/ready, /app-health/, /app-lifecycle/, /stats/prometheus, and for the pod "
                 "itself POST /drain and POST /quitquitquit\n");
}

net::Task<void> StatusServer::health(http::ServerExchange& exchange, const net::Address&) {
  if (http::path_of(exchange.request().path) == "/healthz/ready")
    co_await ready(exchange);
  else
    co_await say(exchange, 404, "only /healthz/ready is here\n");
}

net::Task<void> StatusServer::own_metrics(http::ServerExchange& exchange, const net::Address&) {
  if (http::path_of(exchange.request().path) == "/stats/prometheus")
    co_await metrics(exchange, false);
  else
    co_await say(exchange, 404, "only /stats/prometheus is here\n");
}

net::Task<void> StatusServer::ready(http::ServerExchange& exchange) {
  const std::string reason = hooks_.not_ready();
  const std::string text = reason.empty() ? "ready\n" : "not ready: " + reason + "\n";
  co_await say(exchange, reason.empty() ? 200 : 503, text);
}

net::Task<void> StatusServer::probe(http::ServerExchange& exchange) {
  std::string path(http::path_of(exchange.request().path));
  std::string who(exchange.request().headers.get("user-agent").value_or(""));
  const ApplicationProbes::Response response = co_await probes_.ask(loop_, std::move(path), std::move(who));
  const bool bodiless = response.status == 204 || response.status == 304 || response.status < 200;
  static_cast<void>(co_await http::respond(exchange, response.status, response.content_type,
                                           bodiless ? std::string_view() : response.body));
}

net::Task<void> StatusServer::metrics(http::ServerExchange& exchange, bool with_application) {
  net::Reply<std::string> own;
  hooks_.metrics(own.taker());
  std::string text = co_await own.value();
  if (with_application && metrics_) {
    const TimePoint deadline = loop_.now() + scrape_timeout(exchange.request());
    const Result<std::string> more = co_await metrics_->fetch(loop_, deadline);
    if (more)
      text += *more;
    else
      WEFT_LOG(kWarn, "status", "the application's metrics are left out", {"at", metrics_->at.to_string()},
               {"path", metrics_->path}, {"reason", more.error().text});
  }
  static_cast<void>(co_await http::respond(exchange, 200, kPrometheus, text));
}

/// Only the pod itself may end its proxy, and no link or prefetch does.
net::Task<void> StatusServer::change(http::ServerExchange& exchange, const net::Address& peer) {
  if (!is_local(peer)) {
    co_await say(exchange, 403, "only from inside the pod\n");
    co_return;
  }
  if (exchange.request().method != "POST") {
    co_await say(exchange, 405, "use POST\n");
    co_return;
  }
  const bool quit = http::path_of(exchange.request().path) == "/quitquitquit";
  if (!quit) hooks_.drain();
  co_await say(exchange, 200, "OK\n");
  static_cast<void>(co_await exchange.flush());
  if (quit) loop_.defer(hooks_.quit);
}

}  // namespace weft::pod

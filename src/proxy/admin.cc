#include "proxy/admin.h"

#include <re2/re2.h>

#include "base/log.h"
#include "base/strings.h"
#include "net/reply.h"
#include "proxy/json_string.h"

namespace weft::proxy {
namespace {

constexpr std::string_view kText = "text/plain; charset=UTF-8";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kHelp =
    "admin commands are:\n"
    "  /clusters (?format=json)\n  /config_dump (?resource=)\n  /drain_listeners (POST)\n  /healthcheck/fail "
    "(POST)\n"
    "  /healthcheck/ok (POST)\n  /help\n  /listeners (?format=json)\n  /logging (POST ?level=, ?flush)\n  "
    "/quitquitquit (POST)\n"
    "  /ready\n  /server_info\n  /stats (?filter=regex, ?usedonly, ?format=prometheus|json)\n  "
    "/stats/prometheus\n";

bool wants_json(std::string_view target) { return http::query_parameter(target, "format") == "json"; }

std::string filtered(const std::string& lines, const std::optional<std::string>& pattern, bool used_only) {
  if (!pattern && !used_only) return lines;
  const RE2 expression(pattern.value_or(""), RE2::Quiet);
  std::string out;
  for (const std::string_view line : split(lines, '\n')) {
    if (line.empty() || (used_only && line.ends_with(": 0"))) continue;
    if (pattern && expression.ok() &&
        !RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), expression))
      continue;
    out.append(line).push_back('\n');
  }
  return out;
}

std::string as_json(const std::string& lines) {
  std::string out = "{\"stats\":[";
  bool first = true;
  for (const std::string_view line : split(lines, '\n')) {
    const auto colon = line.rfind(": ");
    if (colon == std::string_view::npos) continue;
    out.append(first ? "" : ",").append("{\"name\":").append(json_string(line.substr(0, colon)));
    out.append(",\"value\":").append(line.substr(colon + 2)).append("}");
    first = false;
  }
  return out + "]}";
}

}  // namespace

Admin::Admin(net::Loop& loop, Server& server, Hooks hooks)
    : loop_(loop), server_(server), hooks_(std::move(hooks)), started_(loop.now()) {}

Result<void> Admin::listen(const net::Address& address) {
  auto made = http::Server::listen(loop_, address,
                                   [this](http::ServerExchange& exchange) { return handle(exchange); });
  if (!made) return fail(std::move(made).error().with_context("admin"));
  servers_.push_back(std::move(*made));
  return {};
}

Result<void> Admin::listen_for_probes(const net::Address& address) {
  auto made = http::Server::listen(loop_, address,
                                   [this](http::ServerExchange& exchange) { return probe(exchange); });
  if (!made) return fail(std::move(made).error().with_context("readiness"));
  servers_.push_back(std::move(*made));
  return {};
}

net::Task<void> Admin::handle(http::ServerExchange& exchange) {
  const std::string target = exchange.request().path;
  const std::string_view path = http::path_of(target);
  if (path == "/ready")
    co_await ready(exchange);
  else if (path == "/stats")
    co_await stats(exchange, http::query_parameter(target, "format") == "prometheus");
  else if (path == "/stats/prometheus")
    co_await stats(exchange, true);
  else if (path == "/clusters")
    co_await clusters(exchange);
  else if (path == "/listeners")
    static_cast<void>(co_await http::respond(exchange, 200, wants_json(target) ? kJson : kText,
                                             server_.listeners_text(wants_json(target))));
  else if (path == "/config_dump")
    static_cast<void>(co_await http::respond(
        exchange, 200, kJson,
        hooks_.config_dump(target.substr(path.size() + (path.size() < target.size())))));
  else if (path == "/server_info")
    static_cast<void>(co_await http::respond(exchange, 200, kJson, server_info()));
  else if (path == "/help" || path == "/")
    static_cast<void>(co_await http::respond(exchange, 200, kText, kHelp));
  else if (path == "/logging")
    co_await logging(exchange);
  else
    co_await change(exchange, path);
}

net::Task<void> Admin::probe(http::ServerExchange& exchange) {
  const std::string_view path = http::path_of(exchange.request().path);
  if (path == "/ready" || path == "/healthz/ready")
    co_await ready(exchange);
  else
    static_cast<void>(co_await http::respond(exchange, 404, kText, "only /healthz/ready is here\n"));
}

net::Task<void> Admin::ready(http::ServerExchange& exchange) {
  const bool live = server_.ready() && !failing_;
  static_cast<void>(co_await http::respond(exchange, live ? 200 : 503, kText,
                                           live              ? "LIVE\n"
                                           : server_.ready() ? "DRAINING\n"
                                                             : "PRE_INITIALIZING\n"));
}

net::Task<void> Admin::stats(http::ServerExchange& exchange, bool prometheus) {
  const std::string target = exchange.request().path;
  net::Reply<std::string> collected;
  server_.collect_stats(prometheus, collected.taker());
  const std::string all = co_await collected.value();
  if (prometheus) {
    static_cast<void>(co_await http::respond(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", all));
    co_return;
  }
  const std::string lines = filtered(all, http::query_parameter(target, "filter"),
                                     http::query_parameter(target, "usedonly").has_value());
  if (wants_json(target))
    static_cast<void>(co_await http::respond(exchange, 200, kJson, as_json(lines)));
  else
    static_cast<void>(co_await http::respond(exchange, 200, kText, lines));
}

net::Task<void> Admin::clusters(http::ServerExchange& exchange) {
  const bool json = wants_json(exchange.request().path);
  net::Reply<std::string> clusters;
  server_.collect_clusters(json, clusters.taker());
  const std::string text = co_await clusters.value();
  static_cast<void>(co_await http::respond(exchange, 200, json ? kJson : kText, text));
}

net::Task<void> Admin::logging(http::ServerExchange& exchange) {
  const auto wanted = http::query_parameter(exchange.request().path, "level");
  if (wanted && exchange.request().method == "POST") {
    log::Level level{};
    if (!log::parse_level(*wanted, level)) {
      static_cast<void>(co_await http::respond(
          exchange, 400, kText,
          "unknown level '" + *wanted + "'; one of trace, debug, info, warning, error, off\n"));
      co_return;
    }
    log::set_level(level);
  }
  if (http::query_parameter(exchange.request().path, "flush") && exchange.request().method == "POST") {
    net::Reply<bool> flushed;
    server_.flush_logs([done = flushed.taker()] { done(true); });
    co_await flushed.value();
  }
  static_cast<void>(co_await http::respond(
      exchange, 200, kText, "active loggers:\n  all: " + std::string(log::to_string(log::level())) + "\n"));
}

/// What changes the process is done by POST only, so that no link and no prefetch does it.
net::Task<void> Admin::change(http::ServerExchange& exchange, std::string_view path) {
  const bool known = path == "/quitquitquit" || path == "/drain_listeners" || path == "/healthcheck/fail" ||
                     path == "/healthcheck/ok";
  if (!known) {
    static_cast<void>(co_await http::respond(exchange, 404, kText, "invalid path. " + std::string(kHelp)));
    co_return;
  }
  if (exchange.request().method != "POST") {
    static_cast<void>(co_await http::respond(exchange, 405, kText, "Method Not Allowed: use POST\n"));
    co_return;
  }
  if (path == "/healthcheck/fail") failing_ = true;
  if (path == "/healthcheck/ok") failing_ = false;
  if (path == "/drain_listeners") server_.drain(Milliseconds{600'000}, [] {});
  static_cast<void>(co_await http::respond(exchange, 200, kText, "OK\n"));
  static_cast<void>(co_await exchange.flush());
  if (path == "/quitquitquit") loop_.defer(hooks_.quit);
}

std::string Admin::server_info() const {
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(loop_.now() - started_).count();
  return std::string("{\"version\":\"weft\",\"state\":\"") + (server_.ready() ? "LIVE" : "PRE_INITIALIZING") +
         "\",\"uptime_current_epoch\":\"" + std::to_string(uptime) + "s\"}";
}

}  // namespace weft::proxy

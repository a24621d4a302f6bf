#include "store/testing/api_double.h"

#include <gtest/gtest.h>

namespace weft::store::testing {

Certificates Certificates::make() {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  auto authority = tls::CertificateAuthority::make("test root", std::chrono::hours(1), now);
  const auto key = tls::PrivateKey::make();
  const auto certificate = authority->issue({.common_name = "api.test",
                                             .dns_names = {"api.test"},
                                             .ip_addresses = {"127.0.0.1"},
                                             .uris = {},
                                             .lifetime = std::chrono::hours(1)},
                                            *key, now);
  return {std::move(*authority), *certificate, key->pem()};
}

tls::ContextSource Certificates::server() const {
  auto context = *tls::Context::server({.certificate_chain_pem = certificate, .private_key_pem = key});
  return [context] { return context; };
}

ApiDouble::ApiDouble(net::Loop& loop, Certificates certificates)
    : loop_(loop), certificates_(std::move(certificates)) {
  http::ServerOptions options;
  options.tls = certificates_.server();
  server_ = std::move(*http::Server::listen(
      loop, *net::Address::parse_ip("127.0.0.1", 0),
      [this](http::ServerExchange& exchange) { return handle(exchange); }, options));
}

ClusterAccess ApiDouble::access() const {
  ClusterAccess access;
  access.host = access.server_name = "127.0.0.1";
  access.port = address().port();
  access.roots_pem = certificates_.authority.certificate_pem();
  access.token = "first";
  access.origin = "test";
  return access;
}

net::Task<void> ApiDouble::handle(http::ServerExchange& exchange) {
  Seen seen;
  seen.line = exchange.request().method + " " + exchange.request().path;
  seen.authorization = exchange.request().headers.get("authorization").value_or("");
  seen.content_type = exchange.request().headers.get("content-type").value_or("");
  seen.when = loop_.now();
  const auto body = co_await http::read_all(exchange, 1024 * 1024);
  if (body) seen.body = *body;
  seen_.push_back(seen);
  Step step;
  step.status = 500;
  if (!script_.empty()) {
    step = std::move(script_.front());
    script_.pop_front();
    if (seen.line.find(step.expected) == std::string::npos)
      surprises_ += "'" + seen.line + "' does not contain '" + step.expected + "'; ";
  }
  co_await play(exchange, std::move(step));
}

net::Task<void> ApiDouble::play(http::ServerExchange& exchange, Step step) {
  if (step.before > Duration::zero()) co_await loop_.sleep(step.before);
  http::ResponseHead head;
  head.status = step.status;
  head.headers.add("content-type", "application/json");
  for (const auto& [name, value] : step.headers) head.headers.add(name, value);
  Result<void> sent = co_await exchange.send_head(head, false);
  if (sent) sent = co_await exchange.flush();
  for (const std::string& piece : step.pieces) {
    if (!sent) co_return;
    sent = co_await exchange.send_body(piece, false);
    if (sent) sent = co_await exchange.flush();
    if (step.between > Duration::zero()) co_await loop_.sleep(step.between);
  }
  if (!sent) co_return;
  if (step.end == Step::End::kSilent) co_await loop_.sleep(1h);
  if (step.end == Step::End::kCut)
    exchange.reset();
  else
    static_cast<void>(co_await exchange.send_body("", true));
}

std::string config_map_json(const std::string& name, int version, const std::string& extra) {
  return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name +
         R"(","namespace":"default","uid":"uid-)" + name + R"(","resourceVersion":")" +
         std::to_string(version) + "\"}" + extra + "}";
}

std::string list_json(int version, const std::vector<std::string>& items, const std::string& next) {
  std::string text = R"({"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":")" +
                     std::to_string(version) + "\"";
  if (!next.empty()) text += R"(,"continue":")" + next + "\"";
  text += R"(},"items":[)";
  for (const std::string& item : items) text += (&item == items.data() ? "" : ",") + item;
  return text + "]}";
}

std::string event_json(const std::string& type, const std::string& object) {
  return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}

std::string added(const std::string& name, int version) {
  return event_json("ADDED", config_map_json(name, version));
}
std::string modified(const std::string& name, int version) {
  return event_json("MODIFIED", config_map_json(name, version));
}
std::string deleted(const std::string& name, int version) {
  return event_json("DELETED", config_map_json(name, version));
}

std::string bookmark_json(int version) {
  return event_json("BOOKMARK", R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":")" +
                                    std::to_string(version) + "\"}}");
}

std::string status_json(int code, const std::string& reason, const std::string& message,
                        const std::string& details) {
  return R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":")" + message +
         R"(","reason":")" + reason + R"(","details":)" + details + R"(,"code":)" + std::to_string(code) +
         "}";
}

}  // namespace weft::store::testing

#include <gtest/gtest.h>

#include <optional>

#include "http/client.h"
#include "http/grpc/client.h"
#include "http/grpc/server.h"
#include "http/h1/client_connection.h"
#include "http/server.h"
#include "tls/certificate.h"
#include "tls/stream.h"

namespace weft::http {
namespace {

/// An authority, and contexts of what it has issued for "server.test".
struct Contexts {
  tls::WallTime now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  tls::CertificateAuthority authority = *tls::CertificateAuthority::make("root", std::chrono::hours(1), now);

  std::shared_ptr<const tls::Context> server(const std::string& common_name,
                                             std::vector<std::string> alpn) const {
    const tls::PrivateKey key = *tls::PrivateKey::make();
    const std::string certificate = *authority.issue({.common_name = common_name,
                                                      .dns_names = {"server.test"},
                                                      .ip_addresses = {},
                                                      .uris = {},
                                                      .lifetime = std::chrono::hours(1)},
                                                     key, now);
    return *tls::Context::server({.certificate_chain_pem = certificate,
                                  .private_key_pem = key.pem(),
                                  .client_roots_pem = {},
                                  .alpn = std::move(alpn)});
  }
  std::shared_ptr<const tls::Context> client(std::string name, std::vector<std::string> alpn) const {
    return *tls::Context::client({.roots_pem = authority.certificate_pem(),
                                  .server_name = std::move(name),
                                  .certificate_chain_pem = {},
                                  .private_key_pem = {},
                                  .alpn = std::move(alpn)});
  }
};

template <class T>
T run(net::Loop& loop, net::Task<T> task) {
  std::optional<T> value;
  net::TaskScope scope;
  const auto keep = [](net::Task<T> inner, std::optional<T>& into) -> net::Task<void> {
    into.emplace(co_await std::move(inner));
  };
  scope.spawn(keep(std::move(task), value));
  while (!value) loop.run_once(10s);
  return std::move(*value);
}

net::Task<void> echo(ServerExchange& exchange) {
  const std::string token(exchange.request().headers.get("authorization").value_or("none"));
  const auto body = co_await read_all(exchange, 4 * 1024 * 1024);
  static_cast<void>(co_await respond(exchange, 200, "text/plain", token + " " + body.value_or("")));
}

const net::Address kAnyPort = *net::Address::parse_ip("127.0.0.1", 0);

Result<std::unique_ptr<Server>> listen_as_one(net::Loop& loop, const Contexts& contexts) {
  ServerOptions options;
  options.tls = [context = contexts.server("one", {})] { return context; };
  return Server::listen(loop, kAnyPort, echo, options);
}

TEST(HttpUnderTls, a_request_and_its_answer_pass_whole) {
  net::Loop loop;
  const Contexts contexts;
  auto server = listen_as_one(loop, contexts);
  ASSERT_TRUE(server) << server.error().text;
  for (const std::size_t size : {0u, 1u, 16384u, 3'000'000u}) {
    Request request{.method = "POST", .body = std::string(size, 'b')};
    request.headers.add("authorization", "Bearer x");
    const auto answer = run(loop, fetch(loop, (*server)->address(), std::move(request),
                                        {.tls = contexts.client("server.test", {})}));
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(answer->head.status, 200);
    EXPECT_TRUE(answer->body == "Bearer x " + std::string(size, 'b')) << size;
  }
}

/// Asks on that connection; the body of the response.
net::Task<Result<std::string>> ask(h1::ClientConnection& connection) {
  ClientExchange& exchange = connection.start();
  RequestHead head;
  head.method = "GET";
  head.path = "/";
  head.authority = "server.test";
  WEFT_CO_CHECK(co_await exchange.send_head(head, true));
  ResponseHead response;
  WEFT_CO_CHECK(co_await exchange.read_head(response));
  std::string body;
  for (;;) {
    WEFT_CO_TRY(const BodyChunk chunk, co_await exchange.read_body());
    body.append(chunk.data);
    if (chunk.end) co_return body;
  }
}

TEST(HttpUnderTls, a_connection_serves_one_request_after_another) {
  net::Loop loop;
  const Contexts contexts;
  auto server = listen_as_one(loop, contexts);
  ASSERT_TRUE(server) << server.error().text;
  auto socket = run(loop, net::connect(loop, (*server)->address(), {.deadline = loop.now() + 30s}));
  ASSERT_TRUE(socket);
  auto stream =
      run(loop, tls::handshake(std::move(*socket), contexts.client("server.test", {}), loop.now() + 30s));
  ASSERT_TRUE(stream) << stream.error().text;
  h1::ClientConnection connection(std::move(*stream));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(connection.usable()) << "before request " << i;
    const auto body = run(loop, ask(connection));
    ASSERT_TRUE(body) << body.error().text;
    EXPECT_EQ(*body, "none ");
  }
}

TEST(HttpUnderTls, nobody_is_answered_in_the_clear_and_a_wrong_server_gets_no_request) {
  net::Loop loop;
  const Contexts contexts, others;
  auto server = listen_as_one(loop, contexts);
  ASSERT_TRUE(server);
  EXPECT_FALSE(run(loop, fetch(loop, (*server)->address(), {})));
  for (const auto& client : {others.client("server.test", {}), contexts.client("other.test", {})}) {
    const auto refused = run(loop, fetch(loop, (*server)->address(), {}, {.tls = client}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kDenied) << refused.error().text;
  }
}

TEST(HttpUnderTls, a_new_certificate_is_shown_from_the_next_connection_on) {
  net::Loop loop;
  const Contexts before, after;
  std::shared_ptr<const tls::Context> shown = before.server("one", {});
  ServerOptions options;
  options.tls = [&shown] { return shown; };
  auto server = Server::listen(loop, kAnyPort, echo, options);
  ASSERT_TRUE(server);
  const auto ask = [&](const Contexts& whom) {
    return run(loop, fetch(loop, (*server)->address(), {}, {.tls = whom.client("server.test", {})}))
        .has_value();
  };
  EXPECT_TRUE(ask(before));
  shown = after.server("two", {});
  EXPECT_FALSE(ask(before));
  EXPECT_TRUE(ask(after));
}

/// A fetch from a server whose only place a client has that never begins its handshake.
Result<Response> fetch_beside_a_silent_client(Duration handshake_timeout) {
  net::Loop loop;
  const Contexts contexts;
  ServerOptions options;
  options.tls = [context = contexts.server("one", {})] { return context; };
  options.handshake_timeout = handshake_timeout;
  options.max_connections = 1;
  auto server = Server::listen(loop, kAnyPort, echo, options);
  if (!server) return std::unexpected(std::move(server).error());
  const auto silent = run(loop, net::connect(loop, (*server)->address(), {.deadline = loop.now() + 5s}));
  if (!silent) return std::unexpected(silent.error());
  return run(loop, fetch(loop, (*server)->address(), {},
                         {.deadline = loop.now() + 10s, .tls = contexts.client("server.test", {})}));
}

TEST(HttpUnderTls, a_handshake_that_does_not_come_is_given_up) {
  const auto answer = fetch_beside_a_silent_client(2s);
  EXPECT_TRUE(answer) << answer.error().text;
}

TEST(HttpUnderTls, a_silent_handshake_gives_way_to_a_client_that_speaks) {
  const auto answer = fetch_beside_a_silent_client(1h);
  EXPECT_TRUE(answer) << answer.error().text;
}

net::Task<void> name_of_caller(grpc::Call call) {
  const auto message = co_await call.stream.read();
  const std::string token(call.metadata.get("authorization").value_or("none"));
  static_cast<void>(co_await call.stream.write(token + " " + message.value_or("")));
}

net::Task<Result<std::string>> ask(net::Loop& loop, net::Address at,
                                   std::shared_ptr<const tls::Context> context, std::string message) {
  grpc::ConnectOptions options;
  options.deadline = loop.now() + 5s;
  options.tls = std::move(context);
  WEFT_CO_TRY(const auto client, co_await grpc::Client::connect(loop, at, options));
  Headers metadata;
  metadata.add("authorization", "Bearer token");
  const auto stream = client->open("/t.T/Who", "server.test", metadata);
  WEFT_CO_CHECK(co_await stream->write(message));
  co_return co_await stream->read();
}

TEST(GrpcUnderTls, messages_and_metadata_pass) {
  net::Loop loop;
  const Contexts contexts;
  auto server = grpc::Server::listen(loop, kAnyPort, {{"/t.T/Who", name_of_caller}},
                                     [context = contexts.server("one", {"h2"})] { return context; });
  ASSERT_TRUE(server) << server.error().text;
  for (const std::size_t size : {std::size_t{0}, std::size_t{2'000'000}}) {
    const std::string message(size, 'm');
    const auto answer =
        run(loop, ask(loop, (*server)->address(), contexts.client("server.test", {"h2"}), message));
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_TRUE(*answer == "Bearer token " + message) << size;
  }
}

TEST(GrpcUnderTls, who_does_not_agree_on_h2_or_proves_to_be_another_is_no_server) {
  net::Loop loop;
  const Contexts contexts, others;
  auto server = grpc::Server::listen(loop, kAnyPort, {{"/t.T/Who", name_of_caller}},
                                     [context = contexts.server("one", {"http/1.1"})] { return context; });
  ASSERT_TRUE(server);
  const auto no_agreement =
      run(loop, ask(loop, (*server)->address(), contexts.client("server.test", {"h2"}), "m"));
  ASSERT_FALSE(no_agreement);
  const auto untrusted =
      run(loop, ask(loop, (*server)->address(), others.client("server.test", {"h2"}), "m"));
  ASSERT_FALSE(untrusted);
  EXPECT_EQ(untrusted.error().code, Code::kDenied) << untrusted.error().text;
}

}  // namespace
}  // namespace weft::http

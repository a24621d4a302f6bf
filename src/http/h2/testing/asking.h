#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/h2/client_connection.h"
#include "http/testing/http2_peer.h"
#include "net/testing/pipe.h"

namespace weft::http::h2::testing {

inline http::testing::Fields status(std::string code) { return {{":status", std::move(code)}}; }

inline std::string goaway(std::uint32_t last, std::uint32_t code) {
  return http::testing::frame(http::testing::kGoAway, 0, 0,
                              http::testing::four(last) + http::testing::four(code));
}

/// What came of one request.
struct Outcome {
  std::vector<int> interims;
  ResponseHead head;
  std::string body, trailers, upgrade;
  std::optional<Error> error;
  bool over = false;
  ClientExchange::Taken taken = ClientExchange::Taken::kPerhaps;
};

/// A client at one end of a pipe; the test is the server at the other, with frames made by hand. Test files
/// only.
class Asking {
 public:
  explicit Asking(const ClientLimits& limits = {}, std::shared_ptr<net::Loop> on = net::Loop::simulated())
      : loop(std::move(on)) {
    auto [ours, theirs] = net::testing::make_pipe(*loop, 1024 * 1024);
    transport = ours.get();
    server = std::move(theirs);
    client = std::make_unique<ClientConnection>(std::move(ours), limits);
    client->on_change([this] { ++changes; });
    loop->settle();
  }
  void greet(std::string_view settings = {}) {
    using http::testing::kSettings;
    send(http::testing::frame(kSettings, 0, 0, settings) + http::testing::frame(kSettings, 1, 0, ""));
  }
  void send(std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    static_cast<void>(server->try_write({&part, 1}));
    loop->settle();
  }
  std::vector<std::string> take(bool quietly = true) {
    loop->settle();
    return reader_.read(server->take(), quietly);
  }
  static RequestHead request(std::string method = "GET", std::string path = "/") {
    RequestHead head;
    head.method = std::move(method);
    head.path = std::move(path);
    head.authority = "h";
    return head;
  }
  ClientExchange& ask(Outcome& into, RequestHead head, std::string body = {}) {
    ClientExchange& exchange = client->start();
    exchange.set_read_deadline(deadline);
    tasks_.spawn(run(exchange, std::move(head), std::move(body), into));
    loop->settle();
    return exchange;
  }
  ClientExchange& ask(Outcome& into) { return ask(into, request()); }

  std::shared_ptr<net::Loop> loop;
  net::testing::PipeEnd* transport;
  std::unique_ptr<net::testing::PipeEnd> server;
  std::unique_ptr<ClientConnection> client;
  int changes = 0;
  TimePoint deadline = kNever;

 private:
  net::Task<void> run(ClientExchange& exchange, RequestHead head, std::string body, Outcome& into) {
    const Result<void> done = co_await talk(exchange, head, body, into);
    if (!done) into.error = done.error();
    into.taken = exchange.taken();
    client->finish(exchange);
    into.over = true;
  }
  static net::Task<Result<void>> talk(ClientExchange& exchange, const RequestHead& head,
                                      const std::string& body, Outcome& into) {
    WEFT_CO_CHECK(co_await exchange.send_head(head, body.empty()));
    if (!body.empty()) WEFT_CO_CHECK(co_await exchange.send_body(body, true));
    for (;;) {
      WEFT_CO_CHECK(co_await exchange.read_head(into.head));
      if (into.head.status >= 200 || into.head.status == 101) break;
      into.interims.push_back(into.head.status);
    }
    if (into.head.status == 101) co_return Result<void>{};
    while (!exchange.response_complete()) {
      WEFT_CO_TRY(const BodyChunk chunk, co_await exchange.read_body());
      into.body.append(chunk.data);
      if (chunk.trailers)
        for (const Headers::Field field : *chunk.trailers)
          into.trailers += std::string(field.name) + "=" + std::string(field.value);
    }
    co_return Result<void>{};
  }

  http::testing::FrameReader reader_;
  net::TaskScope tasks_;
};

}  // namespace weft::http::h2::testing

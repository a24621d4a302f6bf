#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/server_session.h"
#include "net/testing/pipe.h"

namespace weft::http::testing {

/// A handler: 200 without a body.
inline net::Task<void> say_ok(ServerExchange& exchange) {
  ResponseHead head;
  head.status = 200;
  head.content_length = 0;
  static_cast<void>(co_await exchange.send_head(head, true));
}

/// A connection served by `handler` at one end of a pipe; the test is the client at the other, with bytes of
/// its own. Test files only.
class Served : public ServerSession::Observer {
 public:
  Served(Protocol protocol, Handler handler, ServerSessionOptions options = {},
         std::size_t capacity = 256 * 1024)
      : options_(std::move(options)), handler_(std::move(handler)) {
    auto [server_end, client_end] = net::testing::make_pipe(*loop, capacity);
    server = std::move(server_end);
    client = std::move(client_end);
    connection = make_server_session(protocol, *server, options_, this);
    tasks_.spawn(connection->serve(handler_));
    loop->settle();
  }
  void send(std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    EXPECT_EQ(client->try_write({&part, 1}).bytes, bytes.size());
    loop->settle();
  }
  std::string take() {
    loop->settle();
    return client->take();
  }
  bool over() const { return tasks_.active() == 0; }
  void on_head_rejected(const Rejection& rejection, const RequestHead&) override {
    rejected.emplace_back(rejection.rule);
  }
  void on_body_rejected(const Rejection& rejection) override { rejected.emplace_back(rejection.rule); }

  ServerSessionOptions options_;  ///< read by the connection as long as it lives
  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  std::unique_ptr<net::testing::PipeEnd> server, client;
  std::unique_ptr<ServerSession> connection;
  std::vector<std::string> rejected;

 private:
  Handler handler_;
  net::TaskScope tasks_;
};

}  // namespace weft::http::testing

#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/h2/server_connection.h"
#include "http/testing/http2_peer.h"
#include "net/testing/pipe.h"

namespace weft::http::h2::testing {

/// A connection served by `handler` at one end of a pipe; the test is the client at the other, with frames
/// made by hand.
class Served : public ServerSession::Observer {
 public:
  explicit Served(Handler handler, ServerSessionOptions options = {}, std::size_t capacity = 1024 * 1024)
      : options_(std::move(options)), handler_(std::move(handler)) {
    auto [server_end, client_end] = net::testing::make_pipe(*loop, capacity);
    server = std::move(server_end);
    client = std::move(client_end);
    connection = std::make_unique<ServerConnection>(*server, options_, this);
    tasks_.spawn(connection->serve(handler_));
    loop->settle();
  }
  /// The preface, and SETTINGS that acknowledge ours.
  void greet(std::string_view settings = {}) {
    send(std::string(http::testing::kPreface) +
         http::testing::frame(http::testing::kSettings, 0, 0, settings) +
         http::testing::frame(http::testing::kSettings, 1, 0, ""));
  }
  void send(std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    static_cast<void>(client->try_write({&part, 1}));
    loop->settle();
  }
  /// What the server has sent since, without what belongs to the connection.
  std::vector<std::string> take(bool quietly = true) {
    loop->settle();
    return reader_.read(client->take(), quietly);
  }
  bool over() const { return tasks_.active() == 0; }
  void on_head_rejected(const Rejection& rejection, const RequestHead&) override {
    rejected.emplace_back(rejection.rule);
  }
  void on_body_rejected(const Rejection& rejection) override { rejected.emplace_back(rejection.rule); }

  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  std::unique_ptr<net::testing::PipeEnd> server, client;
  std::unique_ptr<ServerConnection> connection;
  std::vector<std::string> rejected;
  ServerSessionOptions options_;

 private:
  Handler handler_;
  http::testing::FrameReader reader_;
  net::TaskScope tasks_;
};

}  // namespace weft::http::h2::testing

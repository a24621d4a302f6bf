#pragma once

#include <string>
#include <utility>
#include <vector>

#include "http/testing/http2_peer.h"
#include "http/testing/served.h"

namespace weft::http::h2::testing {

/// A handler that responds at once, with no body.
inline net::Task<void> ignore_body(ServerExchange& exchange) {
  ResponseHead head;
  head.status = 200;
  static_cast<void>(co_await exchange.send_head(head, true));
}

/// A connection of HTTP/2 served by `handler`; the test is the client, with frames made by hand.
class Served : public http::testing::Served {
 public:
  explicit Served(Handler handler, ServerSessionOptions options = {}, std::size_t capacity = 1024 * 1024)
      : http::testing::Served(Protocol::kHttp2, std::move(handler), std::move(options), capacity) {}
  /// The preface, and SETTINGS that acknowledge ours.
  void greet(std::string_view settings = {}) {
    send(std::string(http::testing::kPreface) +
         http::testing::frame(http::testing::kSettings, 0, 0, settings) +
         http::testing::frame(http::testing::kSettings, 1, 0, ""));
  }
  /// As much as the connection still takes.
  void send(std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    static_cast<void>(client->try_write({&part, 1}));
    loop->settle();
  }
  /// What the server has sent since, without what belongs to the connection.
  std::vector<std::string> take(bool quietly = true) {
    return reader_.read(http::testing::Served::take(), quietly);
  }

 private:
  http::testing::FrameReader reader_;
};

}  // namespace weft::http::h2::testing

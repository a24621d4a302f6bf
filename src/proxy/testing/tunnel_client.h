#pragma once

#include <memory>
#include <string>

#include "proxy/testing/mesh.h"

namespace weft::proxy::testing {

/// A client that asks for a tunnel, says something in it, hears what comes back, and ends it.
///
/// Owner: the test; `mesh` outlives it. How it ends: with the tunnel, or the destructor, which cuts it.
class TunnelClient {
 public:
  struct Plan {
    http::RequestHead head;
    int switched = 200;  ///< the status of a response behind which there is a tunnel
    std::string_view says;
    http::Http2Limits http2 = {};
  };
  TunnelClient(Mesh& mesh, Protocol protocol, Plan plan)
      : session_(http::make_client_session(protocol, mesh.plane.connect(), {}, plan.http2)) {
    plan.head.version = protocol == Protocol::kHttp2 ? http::Version::k2 : http::Version::k11;
    tasks_.spawn(ask(std::move(plan)));
    mesh.settle();
  }
  ~TunnelClient() { tasks_.cancel_all(); }
  TunnelClient(const TunnelClient&) = delete;
  TunnelClient& operator=(const TunnelClient&) = delete;

  http::ResponseHead response;
  std::string heard;
  bool ended = false;

 private:
  net::Task<void> ask(Plan plan) {
    http::ClientExchange& exchange = session_->start();
    const auto sent = co_await exchange.send_head(plan.head, true);
    const auto read = co_await exchange.read_head(response);
    if (!sent || !read || response.status != plan.switched) co_return;
    net::Stream& stream = *exchange.upgrade().stream;
    static_cast<void>(co_await stream.write(plan.says));
    char block[64];
    const net::IoResult got = co_await stream.read(block);
    heard.assign(block, got.bytes);
    stream.shutdown_write();
    ended = (co_await stream.read(block)).error == net::IoError::kEnd;
  }

  std::unique_ptr<http::ClientSession> session_;
  net::TaskScope tasks_;
};

}  // namespace weft::proxy::testing

#include "proxy/upstream/endpoint_pool.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

using namespace testing;

/// A connection of a pool and the server's end of it, on which one exchange has been.
struct Connected {
  explicit Connected(net::Loop& on) : loop(on) {
    auto listener = std::move(*net::Listener::listen(loop, *net::Address::parse_ip("127.0.0.1", 0)));
    Endpoint endpoint{.address = listener->local_address(), .hostname = {}};
    auto pool = std::make_shared<EndpointPool>(
        loop, std::make_shared<ClusterShare>(std::make_shared<ClusterUsage>()), endpoint, 0);
    auto connected = run(loop, net::connect(loop, listener->local_address(), {}));
    server = std::move(*run(loop, listener->accept()));
    client_fd = (*connected)->fd();
    stream = connected->get();
    const net::Address local = (*connected)->local_address();
    client = std::make_unique<UpstreamConnection>(Connection{std::move(*connected), local},
                                                  http::Protocol::kHttp1, http::Http2Limits{},
                                                  ConnectionPlace::beyond(pool, ConnectionUse::kHttp1));
    send(client_fd, "first");
    EXPECT_TRUE(received(server->fd(), "first"));
    send(server->fd(), "answer");
    EXPECT_TRUE(received(client_fd, "answer"));
  }
  static void send(int fd, std::string_view text) {
    ASSERT_EQ(::send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  bool received(int fd, std::string_view text) {
    std::string got;
    return run_until(loop, [&] {
      char bytes[64];
      const ssize_t size = ::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
      if (size > 0) got.append(bytes, static_cast<std::size_t>(size));
      return got == text;
    });
  }
  bool ended() {
    return run_until(loop, [&] {
      char byte;
      return ::recv(client_fd, &byte, 1, MSG_DONTWAIT) == 0;
    });
  }
  net::Loop& loop;
  std::unique_ptr<net::Socket> server;
  std::unique_ptr<UpstreamConnection> client;
  net::Stream* stream = nullptr;  ///< of client
  int client_fd = -1;
};

TEST(UpstreamConnection, knows_that_a_server_which_had_ended_it_never_took_the_request) {
  net::Loop loop;
  Connected kept(loop);
  kept.server.reset();
  Connected::send(kept.client_fd, "second");
  ASSERT_TRUE(kept.ended());
  EXPECT_FALSE(kept.stream->delivered());
}

TEST(UpstreamConnection, knows_that_a_server_took_the_request_before_it_ended) {
  net::Loop loop;
  Connected kept(loop);
  Connected::send(kept.client_fd, "second");
  ASSERT_TRUE(kept.received(kept.server->fd(), "second"));
  kept.server.reset();
  ASSERT_TRUE(kept.ended());
  EXPECT_TRUE(kept.stream->delivered());
}

}  // namespace
}  // namespace weft::proxy

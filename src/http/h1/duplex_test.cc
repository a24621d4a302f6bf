#include <gtest/gtest.h>

#include <random>

#include "http/h1/client_connection.h"
#include "http/h1/server_connection.h"
#include "net/testing/pipe.h"

namespace weft::http::h1 {
namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t limit) { return random() % limit; }

std::string random_bytes(Random& random, std::size_t size) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>('a' + below(random, 26));
  return text;
}

/// One exchange whose two bodies go at once, each side at a speed of its own.
struct Plan {
  explicit Plan(std::uint64_t seed) : random(seed) {
    capacity = 1 + below(random, below(random, 2) ? 64 : 40'000);
    const std::size_t largest = std::min<std::size_t>(60'000, 1 + capacity * 300);
    up = random_bytes(random, below(random, largest));
    down = random_bytes(random, below(random, largest));
    up_chunked = below(random, 2);
    down_chunked = below(random, 2);
    expects = below(random, 2);
    interims = below(random, 3);
    // One that waits after every piece or nearly never: fast and slow sides in every combination.
    for (std::size_t& one : pauses) one = below(random, 2) ? 2 : 1000;
  }
  Random random;
  std::size_t capacity;
  std::string up, down;
  bool up_chunked, down_chunked, expects;
  std::size_t interims;
  std::size_t pauses[4];
};

template <class Exchange>
net::Task<Result<void>> send_all(Exchange& exchange, std::string body, std::uint64_t seed, std::size_t pause,
                                 net::Loop& loop) {
  Random random(seed);
  for (std::string_view rest = body;;) {
    const std::size_t size = std::min(rest.size(), 1 + below(random, 5000));
    const bool end = size == rest.size();
    WEFT_CO_CHECK(co_await exchange.send_body(rest.substr(0, size), end));
    if (end) co_return Result<void>{};
    rest.remove_prefix(size);
    if (below(random, pause) == 0) co_await loop.sleep(1ms);
  }
}

template <class Exchange>
net::Task<Result<void>> read_all_of(Exchange& exchange, std::string& into, std::uint64_t seed,
                                    std::size_t pause, net::Loop& loop) {
  Random random(seed);
  for (;;) {
    WEFT_CO_TRY(const BodyChunk chunk, co_await exchange.read_body());
    into.append(chunk.data);
    if (chunk.end) co_return Result<void>{};
    if (below(random, pause) == 0) co_await loop.sleep(1ms);
  }
}

/// A client and a server over one pipe, both in full duplex.
struct Duplex {
  explicit Duplex(std::uint64_t seed) : plan(seed), seed_(seed) {
    auto [one, other] = net::testing::make_pipe(*loop, plan.capacity);
    one->set_fragment(1 + below(plan.random, plan.capacity));
    other->set_fragment(1 + below(plan.random, plan.capacity));
    server_end = std::move(other);
    client = std::make_unique<ClientConnection>(std::move(one));
    server = std::make_unique<ServerConnection>(*server_end, options);
    serving.spawn(serve());
    calling.spawn(call());
  }

  net::Task<void> serve() {
    const Handler handler = [this](ServerExchange& exchange) { return handle(exchange); };
    co_await server->serve(handler);
  }
  net::Task<void> handle(ServerExchange& exchange) {
    const auto done = co_await net::both(read_all_of(exchange, got_up, seed_ + 1, plan.pauses[0], *loop),
                                         respond(exchange));
    served = done.has_value();
  }
  net::Task<Result<void>> respond(ServerExchange& exchange) {
    ResponseHead hints;
    hints.status = 103;
    hints.headers.add("link", std::string(200, 'l'));
    for (std::size_t i = 0; i < plan.interims; ++i) WEFT_CO_CHECK(co_await exchange.send_interim(hints));
    ResponseHead head;
    head.status = 200;
    if (!plan.down_chunked) head.content_length = plan.down.size();
    WEFT_CO_CHECK(co_await exchange.send_head(head, false));
    if (below(plan.random, 2)) WEFT_CO_CHECK(co_await exchange.flush());
    co_return co_await send_all(exchange, plan.down, seed_ + 2, plan.pauses[1], *loop);
  }

  net::Task<void> call() {
    ClientExchange& exchange = client->start();
    RequestHead head;
    head.method = "POST";
    head.path = "/";
    head.authority = "h";
    if (plan.expects) head.headers.add("expect", "100-continue");
    if (!plan.up_chunked) head.content_length = plan.up.size();
    if (!co_await exchange.send_head(head, false)) co_return;
    const auto done =
        co_await net::both(send_all(exchange, plan.up, seed_ + 3, plan.pauses[2], *loop), receive(exchange));
    called = done.has_value();
  }
  net::Task<Result<void>> receive(ClientExchange& exchange) {
    ResponseHead head;
    do WEFT_CO_CHECK(co_await exchange.read_head(head));
    while (head.status < 200);
    co_return co_await read_all_of(exchange, got_down, seed_ + 4, plan.pauses[3], *loop);
  }

  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  ServerSessionOptions options;
  Plan plan;
  std::unique_ptr<net::testing::PipeEnd> server_end;
  std::unique_ptr<ClientConnection> client;
  std::unique_ptr<ServerConnection> server;
  std::string got_up, got_down;
  bool served = false, called = false;
  net::TaskScope serving, calling;

 private:
  std::uint64_t seed_;
};

TEST(FullDuplex, bodies_of_both_directions_arrive_whole_at_any_two_speeds_in_any_framing) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Duplex duplex(seed * 1000);
    for (int turn = 0; turn < 100'000 && !(duplex.served && duplex.called); ++turn) duplex.loop->advance(1ms);
    ASSERT_TRUE(duplex.served && duplex.called);
    ASSERT_EQ(duplex.got_up, duplex.plan.up);
    ASSERT_EQ(duplex.got_down, duplex.plan.down);
    ASSERT_TRUE(duplex.client->usable()) << "the connection serves the next request";
  }
}

TEST(FullDuplex, either_side_may_be_given_up_at_any_moment) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Duplex duplex(seed * 1000);
    const std::size_t turns = below(duplex.plan.random, 60);
    for (std::size_t turn = 0; turn < turns; ++turn) duplex.loop->advance(1ms);
    const bool client_first = below(duplex.plan.random, 2);
    if (client_first) {
      duplex.calling.cancel_all();
      duplex.client.reset();
    } else {
      duplex.serving.cancel_all();
      duplex.server_end->close(below(duplex.plan.random, 2));
    }
    duplex.loop->advance(2h);
    EXPECT_EQ(client_first ? duplex.serving.active() : duplex.calling.active(), 0u);
    // What came is a beginning of what was sent.
    EXPECT_TRUE(duplex.plan.up.starts_with(duplex.got_up));
    EXPECT_TRUE(duplex.plan.down.starts_with(duplex.got_down));
  }
}

net::Task<Result<void>> reading(ServerExchange& exchange) {
  for (;;) WEFT_CO_CHECK(co_await exchange.read_body());
}

net::Task<Result<void>> writing(ServerExchange& exchange) {
  ResponseHead head;
  head.status = 200;
  WEFT_CO_CHECK(co_await exchange.send_head(head, false));
  const std::string piece(1000, 'y');
  for (;;) WEFT_CO_CHECK(co_await exchange.send_body(piece, false));
}

net::Task<void> read_and_write(ServerExchange& exchange) {
  static_cast<void>(co_await net::both(reading(exchange), writing(exchange)));
  exchange.reset();
}

net::Task<void> serve_with(ServerConnection& connection, const Handler& handler) {
  co_await connection.serve(handler);
}

TEST(FullDuplex, a_client_that_breaks_while_one_half_reads_and_the_other_waits_to_write_ends_both) {
  for (const bool times_out : {false, true}) {
    const auto loop = net::Loop::simulated();
    auto [client, server] = net::testing::make_pipe(*loop, 3000);
    ServerSessionOptions options;
    options.body_timeout = 7s;
    ServerConnection connection(*server, options);
    const Handler handler = read_and_write;
    net::TaskScope scope;
    scope.spawn(serve_with(connection, handler));
    ASSERT_GT(client
                  ->try_write(std::array{iovec{
                      const_cast<char*>(
                          "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
                      66}})
                  .bytes,
              60u);
    loop->settle();
    ASSERT_EQ(scope.active(), 1u);
    if (times_out)
      loop->advance(8s);
    else
      client->close(true);
    loop->advance(1s);
    EXPECT_EQ(scope.active(), 0u);
  }
}

net::Task<void> write_one(Outbox& box, Outbox::Borrowed body, std::optional<net::IoError>& done) {
  done = co_await box.write(body);
}

/// A way out of 10 bytes at a time.
struct Narrow {
  Narrow() {
    auto [one, two] = net::testing::make_pipe(*loop, 10);
    near = std::move(one);
    far = std::move(two);
    box = std::make_unique<Outbox>(*near);
  }
  std::string all() {
    std::string text;
    for (std::string piece; !(piece = far->take()).empty();) {
      text += piece;
      loop->settle();
    }
    return text;
  }
  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  std::unique_ptr<net::testing::PipeEnd> near, far;
  std::unique_ptr<Outbox> box;
  std::optional<net::IoError> first, second;
};

TEST(Outbox, what_is_appended_beside_a_waiting_write_leaves_behind_it_and_once) {
  Narrow narrow;
  net::TaskScope scope;
  narrow.box->text() = "head|";
  scope.spawn(write_one(*narrow.box, {"<", "0123456789abcdef", ">"}, narrow.first));
  EXPECT_FALSE(narrow.first);
  narrow.box->text().append("interim|");
  EXPECT_TRUE(narrow.box->nothing_to_flush()) << "it leaves with the write that waits";
  scope.spawn(write_one(*narrow.box, {"[", "second", "]"}, narrow.second));
  EXPECT_EQ(narrow.all(), "head|<0123456789abcdef>interim|[second]");
  EXPECT_EQ(narrow.first, net::IoError::kNone);
  EXPECT_EQ(narrow.second, net::IoError::kNone);
  EXPECT_TRUE(narrow.box->empty());
  EXPECT_FALSE(narrow.box->cut());
}

TEST(Outbox, a_flush_that_is_given_up_loses_nothing_and_a_body_that_is_given_up_ends_the_connection) {
  Narrow narrow;
  {
    net::TaskScope scope;
    narrow.box->text() = "a head of more than ten";
    scope.spawn(write_one(*narrow.box, {}, narrow.first));
    EXPECT_FALSE(narrow.first);
  }
  net::TaskScope scope;
  scope.spawn(write_one(*narrow.box, {.data = "|body"}, narrow.second));
  EXPECT_EQ(narrow.all(), "a head of more than ten|body");
  {
    net::TaskScope given_up;
    given_up.spawn(write_one(*narrow.box, {.data = "0123456789abcdef"}, narrow.first));
    scope.spawn(write_one(*narrow.box, {.data = "never"}, narrow.second));
  }
  EXPECT_EQ(narrow.all(), "0123456789");
  EXPECT_TRUE(narrow.box->cut());
  EXPECT_EQ(narrow.second, net::IoError::kClosed);
}

}  // namespace
}  // namespace weft::http::h1

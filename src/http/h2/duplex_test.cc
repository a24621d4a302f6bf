#include <gtest/gtest.h>

#include <random>

#include "http/h2/client_connection.h"
#include "http/h2/server_connection.h"
#include "net/testing/pipe.h"

/// Both sides against each other, at random.
namespace weft::http::h2 {
namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t limit) { return random() % limit; }

/// The bytes of a body are known from its seed alone, so that it need not be kept.
char byte_at(std::uint64_t seed, std::size_t at) {
  return static_cast<char>('a' + (seed * 7 + at * 13) % 26);
}

std::string piece_of(std::uint64_t seed, std::size_t from, std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = byte_at(seed, from + i);
  return text;
}

/// What one exchange does: said by the client in its path, so that both sides know.
struct Plan {
  std::uint64_t seed = 0;
  std::size_t up = 0, down = 0, pause_up = 0, pause_down = 0;
  bool with_length = false, with_trailers = false;
  int cancel_after = 0;  ///< steps of the client; 0: never

  explicit Plan(std::uint64_t from) : seed(from) {
    Random random(from);
    up = below(random, 2) ? below(random, 200'000) : below(random, 100);
    down = below(random, 2) ? below(random, 200'000) : below(random, 100);
    pause_up = below(random, 2) ? 2 : 1000;
    pause_down = below(random, 2) ? 2 : 1000;
    with_length = below(random, 2);
    with_trailers = !with_length && below(random, 2);
    cancel_after = below(random, 5) == 0 ? 1 + static_cast<int>(below(random, 20)) : 0;
  }
};

template <class Exchange>
net::Task<Result<void>> send_all(Exchange& exchange, std::uint64_t seed, std::size_t size, std::size_t pause,
                                 bool trailers, net::Loop& loop) {
  Random random(seed);
  for (std::size_t at = 0;;) {
    const std::size_t now = std::min(size - at, 1 + below(random, 30'000));
    const bool end = at + now == size;
    WEFT_CO_CHECK(co_await exchange.send_body(piece_of(seed, at, now), end && !trailers));
    at += now;
    if (end) break;
    if (below(random, pause) == 0) co_await loop.sleep(1ms);
  }
  if (!trailers) co_return Result<void>{};
  Headers fields;
  fields.add("x-seed", std::to_string(seed));
  co_return co_await exchange.send_trailers(fields);
}

template <class Exchange>
net::Task<Result<void>> read_all_of(Exchange& exchange, std::uint64_t seed, std::size_t size,
                                    std::size_t pause, bool trailers, net::Loop& loop) {
  Random random(seed + 1);
  std::size_t at = 0;
  for (;;) {
    WEFT_CO_TRY(const BodyChunk chunk, co_await exchange.read_body());
    EXPECT_EQ(chunk.data, piece_of(seed, at, chunk.data.size()));
    at += chunk.data.size();
    if (chunk.end) {
      EXPECT_EQ(at, size);
      EXPECT_EQ(chunk.trailers != nullptr, trailers);
      co_return Result<void>{};
    }
    if (below(random, pause) == 0) co_await loop.sleep(1ms);
  }
}

struct Pair {
  explicit Pair(std::uint64_t seed) : random(seed) {
    const std::size_t capacity = 64 + below(random, below(random, 2) ? 256 : 100'000);
    auto [one, other] = net::testing::make_pipe(*loop, capacity);
    one->set_fragment(1 + below(random, capacity));
    other->set_fragment(1 + below(random, capacity));
    server_end = std::move(other);
    ClientLimits limits;
    limits.http2.max_resets = options.http2.max_resets = 100'000;
    limits.http2.stream_window = static_cast<std::uint32_t>(1000 + below(random, 100'000));
    options.http2.stream_window = static_cast<std::uint32_t>(1000 + below(random, 100'000));
    client = std::make_unique<ClientConnection>(std::move(one), limits);
    server = std::make_unique<ServerConnection>(*server_end, options);
    serving.spawn(server->serve(handler));
    loop->settle();
  }

  net::Task<void> handle(ServerExchange& exchange) {
    const Plan plan(std::stoull(exchange.request().path.substr(1)));
    ++handled;
    Result<void> done = co_await net::both(
        read_all_of(exchange, plan.seed, plan.up, plan.pause_down, false, *loop), respond(exchange, plan));
    if (!done) {
      ++cut;
      exchange.reset();
    }
  }
  net::Task<Result<void>> respond(ServerExchange& exchange, const Plan& plan) {
    ResponseHead head;
    head.status = 200;
    if (plan.with_length) head.content_length = plan.down;
    WEFT_CO_CHECK(co_await exchange.send_head(head, false));
    co_return co_await send_all(exchange, plan.seed, plan.down, plan.pause_up, plan.with_trailers, *loop);
  }

  net::Task<void> ask(std::uint64_t seed) {
    const Plan plan(seed);
    while (client->capacity() == 0) co_await loop->sleep(1ms);
    ClientExchange& exchange = client->start();
    net::TaskScope canceller;
    if (plan.cancel_after) canceller.spawn(cancel(exchange, plan.cancel_after));
    RequestHead head;
    head.method = "POST";
    head.path = "/" + std::to_string(seed);
    head.authority = "h";
    if (plan.with_length) head.content_length = plan.up;
    Result<void> done = co_await exchange.send_head(head, false);
    if (done)
      done = co_await net::both(send_all(exchange, plan.seed, plan.up, plan.pause_up, false, *loop),
                                receive(exchange, plan));
    if (!done && !plan.cancel_after) ADD_FAILURE() << seed << ": " << done.error().text;
    done ? ++complete : ++cancelled;
    client->finish(exchange);
  }
  net::Task<Result<void>> receive(ClientExchange& exchange, const Plan& plan) {
    ResponseHead head;
    WEFT_CO_CHECK(co_await exchange.read_head(head));
    EXPECT_EQ(head.status, 200);
    co_return co_await read_all_of(exchange, plan.seed, plan.down, plan.pause_down, plan.with_trailers,
                                   *loop);
  }
  net::Task<void> cancel(ClientExchange& exchange, int after) {
    co_await loop->sleep(after * 1ms);
    exchange.cancel();
  }

  Random random;
  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  ServerSessionOptions options;
  std::unique_ptr<net::testing::PipeEnd> server_end;
  std::unique_ptr<ClientConnection> client;
  std::unique_ptr<ServerConnection> server;
  Handler handler = [this](ServerExchange& exchange) { return handle(exchange); };
  int handled = 0, cut = 0, complete = 0, cancelled = 0;
  net::TaskScope serving, asking;
};

TEST(Http2Duplex, bodies_pass_both_ways_at_any_speeds_and_an_end_of_one_is_not_that_of_another) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(seed);
    constexpr int kExchanges = 40;
    for (int i = 0; i < kExchanges; ++i)
      pair.asking.spawn(pair.ask(seed * 1000 + static_cast<std::uint64_t>(i)));
    for (int i = 0; i < 20'000 && pair.asking.active(); ++i) pair.loop->advance(5ms);
    EXPECT_EQ(pair.asking.active(), 0u);
    EXPECT_EQ(pair.complete + pair.cancelled, kExchanges);
    EXPECT_GE(pair.complete, kExchanges / 2);
    pair.loop->advance(1s);
    EXPECT_TRUE(pair.server->is_idle()) << "every handler has heard of the end";
    EXPECT_FALSE(pair.client->over());
    pair.client.reset();
    pair.loop->advance(2s);
    EXPECT_EQ(pair.serving.active(), 0u);
  }
}

TEST(Http2Duplex, a_thousand_streams_go_over_one_connection) {
  Pair pair(99);
  for (int i = 0; i < 1000; ++i) pair.asking.spawn(pair.ask(500'000 + static_cast<std::uint64_t>(i) * 2));
  for (int i = 0; i < 100'000 && pair.asking.active(); ++i) pair.loop->advance(5ms);
  EXPECT_EQ(pair.complete + pair.cancelled, 1000);
  pair.loop->advance(1s);
  EXPECT_TRUE(pair.server->is_idle());
}

}  // namespace
}  // namespace weft::http::h2

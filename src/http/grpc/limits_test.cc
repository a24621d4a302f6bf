#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/grpc/client.h"
#include "http/grpc/server.h"
#include "http/grpc/session.h"
#include "http/testing/frames.h"
#include "net/testing/pipe.h"

namespace weft::http::grpc {
namespace {

using testing::frame;
using testing::kPreface;
using enum testing::FrameType;

/// A field of 4000 bytes that goes into the table (RFC 7541 §6.2.1), and one-byte references to it (§6.1).
std::string bomb(std::size_t references) {
  std::string block = "\x82\x86\x84";  // GET, http, /
  block += std::string("\x40\x01x\x7f\xa1\x1e", 6) + std::string(4000, 'v');
  return block + std::string(references, '\xbe');
}

bool has_go_away(std::string_view bytes) {
  for (std::size_t at = 0; at + 9 <= bytes.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
    // ENHANCE_YOUR_CALM is 11.
    if (byte(3) == kGoAway && byte(16) == 11) return true;
    at += 9 + (std::size_t{byte(0)} << 16 | std::size_t{byte(1)} << 8 | byte(2));
  }
  return false;
}

struct Counted {
  ~Counted() { --open; }
  Counted() { ++open; }
  static inline int open = 0;
};

net::Task<void> echo(Call call) {
  const Counted counted;
  call.admitted();
  while (auto message = co_await call.stream.read()) {
    if (!co_await call.stream.write(*message)) break;
  }
}

net::Task<void> keep_waiting(Call call) {
  const Counted counted;
  while (co_await call.stream.read()) {
  }
}

class Limits : public ::testing::Test {
 public:
  Limits() : directory_(::mkdtemp(name_)), at_(*net::Address::unix_path(directory_ + "/s")) {}
  ~Limits() override {
    ::unlink((directory_ + "/s").c_str());
    ::rmdir(directory_.c_str());
  }
  void listen(const ServerLimits& limits) {
    auto made = Server::listen(loop_, at_, {{"/t.T/Echo", echo}, {"/t.T/Wait", keep_waiting}}, {}, limits);
    ASSERT_TRUE(made) << made.error().text;
    server_ = std::move(*made);
  }
  bool run_until(const std::function<bool()>& done) {
    const TimePoint until = SteadyClock::now() + 20s;
    while (!done()) {
      if (SteadyClock::now() > until) return false;
      loop_.run_once(10ms);
    }
    return true;
  }
  using Talk = net::Task<void> (*)(net::Loop&, net::Address, const std::string& say, std::string& into,
                                   bool& ended);
  /// What such a client has heard when it has ended; nullopt when it does not end.
  std::optional<std::string> heard_by(Talk talk, const std::string& say) {
    std::string heard;
    bool over = false;
    net::TaskScope scope;
    scope.spawn(talk(loop_, at_, say, heard, over));
    if (!run_until([&] { return over; })) return std::nullopt;
    return heard;
  }
  /// What the server says to these bytes before it ends the connection; nullopt when it does not end it.
  std::optional<std::string> conversation(const std::string& bytes) {
    const auto talk = [](net::Loop& loop, net::Address at, const std::string& say, std::string& into,
                         bool& ended) -> net::Task<void> {
      auto socket = co_await net::connect(loop, at, {});
      EXPECT_TRUE(socket);
      static_cast<void>(co_await (*socket)->write(say));
      char block[4096];
      for (;;) {
        const net::IoResult got = co_await (*socket)->read(block);
        if (!got.ok()) break;
        into.append(block, got.bytes);
      }
      ended = true;
    };
    return heard_by(talk, bytes);
  }
  /// A client that gets its echo, or why not.
  std::string echoed(const std::string& message) {
    const auto talk = [](net::Loop& loop, net::Address at, const std::string& say, std::string& into,
                         bool& ended) -> net::Task<void> {
      auto client = co_await Client::connect(loop, at, {});
      EXPECT_TRUE(client);
      auto stream = (*client)->open("/t.T/Echo", "control");
      static_cast<void>(co_await stream->write(say));
      const auto got = co_await stream->read();
      into = got ? *got : got.error().text;
      ended = true;
    };
    const auto result = heard_by(talk, message);
    EXPECT_TRUE(result);
    return result.value_or("nothing");
  }

  char name_[32] = "/tmp/weft-grpc-XXXXXX";
  std::string directory_;
  net::Address at_;
  net::Loop loop_;
  std::unique_ptr<Server> server_;
};

TEST_F(Limits, a_header_list_that_unpacks_to_more_than_the_limit_ends_the_connection) {
  listen({});
  const std::string start = std::string(kPreface) + frame(kSettings, 0, 0, "");
  const auto one = conversation(start + frame(kHeaders, 4, 1, bomb(12'000)));
  ASSERT_TRUE(one);
  EXPECT_TRUE(has_go_away(*one));
  std::string parts = start + frame(kHeaders, 0, 1, bomb(8'000));
  for (int i = 0; i < 6; ++i) parts += frame(kContinuation, i == 5 ? 4 : 0, 1, std::string(16'000, '\xbe'));
  const auto many = conversation(parts);
  ASSERT_TRUE(many);
  EXPECT_TRUE(has_go_away(*many));
  const auto a_little_more = conversation(start + frame(kHeaders, 4, 1, bomb(8)));
  ASSERT_TRUE(a_little_more);
  EXPECT_TRUE(has_go_away(*a_little_more));
  EXPECT_EQ(Counted::open, 0);
  EXPECT_EQ(echoed("still here"), "still here");
}

TEST_F(Limits, a_flood_of_frames_that_carry_nothing_ends_the_connection) {
  listen({});
  const std::string start = std::string(kPreface) + frame(kSettings, 0, 0, "");
  std::string pings = start, empty = start, settings = start;
  for (int i = 0; i < 6000; ++i) {
    pings += frame(kPing, 0, 0, "12345678");
    settings += frame(kSettings, 0, 0, "");
    empty += frame(kPing, 1, 0, "12345678");
  }
  for (const std::string& flood : {pings, empty, settings}) EXPECT_TRUE(conversation(flood));
  EXPECT_EQ(echoed("still here"), "still here");
}

TEST_F(Limits, a_message_beyond_the_limit_ends_its_call_alone) {
  ServerLimits limits;
  limits.session.max_message = 100'000;
  listen(limits);
  EXPECT_EQ(echoed(std::string(100'000, 'm')), std::string(100'000, 'm'));
  // The method reads kTooLarge and ends; its caller sees the end of the call instead of an echo.
  EXPECT_NE(echoed(std::string(100'001, 'm')), std::string(100'001, 'm'));
  EXPECT_EQ(echoed("still here"), "still here");
}

TEST_F(Limits, silent_strangers_give_their_places_to_whoever_comes_later) {
  ServerLimits limits;
  limits.max_strangers_per_peer = 8;
  listen(limits);
  std::vector<std::unique_ptr<net::Socket>> silent;
  const auto open = [](net::Loop& loop, net::Address at,
                       std::vector<std::unique_ptr<net::Socket>>& into) -> net::Task<void> {
    for (int i = 0; i < 50; ++i) {
      auto socket = co_await net::connect(loop, at, {});
      EXPECT_TRUE(socket);
      into.push_back(std::move(*socket));
    }
  };
  net::TaskScope scope;
  scope.spawn(open(loop_, at_, silent));
  ASSERT_TRUE(run_until([&] { return silent.size() == 50 && server_->counts().closed_at_limit >= 42; }));
  ASSERT_TRUE(run_until([&] { return server_->counts().open <= 8; }));
  EXPECT_EQ(server_->counts().strangers, 8u);
  EXPECT_EQ(echoed("let in"), "let in");
}

TEST_F(Limits, who_is_known_keeps_its_place_among_strangers) {
  ServerLimits limits;
  limits.max_strangers_per_peer = limits.max_strangers = 2;
  limits.max_connections = 3;
  listen(limits);
  std::unique_ptr<Client> known;
  std::unique_ptr<MessageStream> stream;
  std::vector<std::unique_ptr<net::Socket>> silent;
  std::string last;
  const auto talk = [](Limits& self, std::unique_ptr<Client>& client, std::unique_ptr<MessageStream>& call,
                       std::vector<std::unique_ptr<net::Socket>>& others,
                       std::string& into) -> net::Task<void> {
    client = std::move(*co_await Client::connect(self.loop_, self.at_, {}));
    call = client->open("/t.T/Echo", "control");
    static_cast<void>(co_await call->write("first"));
    EXPECT_TRUE(co_await call->read());
    for (int i = 0; i < 10; ++i)
      others.push_back(std::move(*co_await net::connect(self.loop_, self.at_, {})));
    static_cast<void>(co_await call->write("last"));
    into = (co_await call->read()).value_or("nothing");
  };
  net::TaskScope scope;
  scope.spawn(talk(*this, known, stream, silent, last));
  ASSERT_TRUE(run_until([&] { return !last.empty(); }));
  EXPECT_EQ(last, "last");
  EXPECT_TRUE(run_until([&] { return server_->counts().open <= 3; }));
}

/// One call that was admitted; true when it was answered.
net::Task<void> become_known(Limits& self, std::unique_ptr<Client>& client, bool& known) {
  client = std::move(*co_await Client::connect(self.loop_, self.at_, {}));
  const auto call = client->open("/t.T/Echo", "control");
  EXPECT_TRUE(co_await call->write("hello"));
  known = (co_await call->read()).has_value();
}

/// A client that the server knows by a call.
std::unique_ptr<Client> known_client(Limits& self) {
  std::unique_ptr<Client> client;
  bool known = false;
  net::TaskScope scope;
  scope.spawn(become_known(self, client, known));
  EXPECT_TRUE(self.run_until([&] { return known; }));
  return client;
}

TEST_F(Limits, when_who_is_known_has_all_places_the_next_is_rejected) {
  ServerLimits limits;
  limits.max_connections = 1;
  listen(limits);
  auto client = known_client(*this);
  EXPECT_TRUE(conversation("")) << "closed at once";
  EXPECT_EQ(server_->counts().rejected, 1u);
  EXPECT_EQ(server_->counts().open, 1u);
  client.reset();
  ASSERT_TRUE(run_until([&] { return server_->counts().open == 0; }));
  EXPECT_EQ(echoed("now"), "now");
}

TEST_F(Limits, who_is_known_and_has_no_calls_for_long_gives_its_place_back) {
  ServerLimits limits;
  limits.introduction = 3s;
  limits.unused = 50ms;
  listen(limits);
  const auto client = known_client(*this);
  ASSERT_TRUE(run_until([&] { return server_->counts().open == 0; }));
  EXPECT_EQ(server_->counts().closed_as_silent, 1u);
}

TEST_F(Limits, strangers_of_all_peers_together_have_a_limit_too) {
  ServerLimits limits;
  limits.max_strangers = 2;
  listen(limits);
  std::vector<std::unique_ptr<net::Socket>> silent;
  const auto open = [](Limits& self, std::vector<std::unique_ptr<net::Socket>>& into) -> net::Task<void> {
    for (int i = 0; i < 5; ++i) into.push_back(std::move(*co_await net::connect(self.loop_, self.at_, {})));
  };
  net::TaskScope scope;
  scope.spawn(open(*this, silent));
  ASSERT_TRUE(run_until([&] { return server_->counts().closed_at_limit == 3; }));
  ASSERT_TRUE(run_until([&] { return server_->counts().open == 2; }));
  EXPECT_EQ(echoed("let in"), "let in");
}

TEST_F(Limits, who_says_nothing_or_not_who_it_is_is_closed_in_time) {
  ServerLimits limits;
  limits.first_bytes = 50ms;
  limits.introduction = 1h;
  listen(limits);
  ASSERT_TRUE(conversation("")) << "who speaks has long to introduce itself";
  EXPECT_EQ(server_->counts().closed_as_silent, 1u);
  limits.introduction = 150ms;
  listen(limits);
  ASSERT_TRUE(conversation(std::string(kPreface) + frame(kSettings, 0, 0, "")));
  EXPECT_EQ(server_->counts().closed_as_silent, 1u);
  ASSERT_TRUE(run_until([&] { return server_->counts().open == 0; }));
}

TEST(Sessions, a_client_rejects_a_header_list_beyond_the_limit_too) {
  const auto loop = net::Loop::simulated();
  auto [ours, theirs] = net::testing::make_pipe(*loop);
  const auto client = Client::over(std::move(ours));
  const auto stream = client->open("/t.T/Echo", "control");
  std::string outcome;
  const auto read = [](MessageStream& from, std::string& into) -> net::Task<void> {
    into = (co_await from.read()).error().text;
  };
  net::TaskScope scope;
  scope.spawn(read(*stream, outcome));
  loop->settle();
  const std::string bytes =
      frame(kSettings, 0, 0, "") + frame(kHeaders, 4, 1, "\x88" + bomb(12'000).substr(3));
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  ASSERT_EQ(theirs->try_write({&part, 1}).bytes, bytes.size());
  loop->settle();
  EXPECT_FALSE(outcome.empty());
  EXPECT_TRUE(has_go_away(theirs->take().substr(kPreface.size())));
}

net::Task<void> no_calls(MessageStream&, Session::Opening) {
  ADD_FAILURE();
  co_return;
}

/// How long it takes until a call over a session learns that the peer is gone.
TEST(Sessions, a_peer_that_vanishes_without_a_word_is_missed_after_a_ping) {
  const auto loop = net::Loop::simulated();
  auto [ours, theirs] = net::testing::make_pipe(*loop);
  const auto client = Client::over(std::move(ours));
  const auto stream = client->open("/t.T/Echo", "control");
  std::optional<Code> outcome;
  const auto read = [](MessageStream& from, std::optional<Code>& into) -> net::Task<void> {
    into = (co_await from.read()).error().code;
  };
  net::TaskScope scope;
  scope.spawn(read(*stream, outcome));
  // One that has not even acknowledged our SETTINGS is left before.
  const std::string hello = frame(kSettings, 0, 0, "") + frame(kSettings, 1, 0, "");
  const iovec part{const_cast<char*>(hello.data()), hello.size()};
  ASSERT_EQ(theirs->try_write({&part, 1}).bytes, hello.size());
  loop->settle();
  loop->advance(29s);
  static_cast<void>(theirs->take());
  loop->advance(2s);
  EXPECT_EQ(theirs->take().substr(3, 1), std::string(1, static_cast<char>(kPing)));
  EXPECT_FALSE(outcome);
  loop->advance(15s);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(*outcome, Code::kUnavailable);
}

TEST(Sessions, a_client_that_vanishes_without_a_word_is_missed_after_a_ping_too) {
  const auto loop = net::Loop::simulated();
  auto [ours, theirs] = net::testing::make_pipe(*loop);
  Session server(std::move(ours), no_calls, SessionLimits::for_server());
  bool over = false;
  const auto serve = [](Session& session, bool& ended) -> net::Task<void> {
    static_cast<void>(co_await session.run());
    ended = true;
  };
  net::TaskScope scope;
  scope.spawn(serve(server, over));
  const std::string hello = std::string(testing::kPreface) + frame(kSettings, 0, 0, "") +
                            frame(kSettings, 1, 0, "");  // and the acknowledgement of ours
  const iovec part{const_cast<char*>(hello.data()), hello.size()};
  ASSERT_EQ(theirs->try_write({&part, 1}).bytes, hello.size());
  loop->settle();
  loop->advance(29s);
  static_cast<void>(theirs->take());
  loop->advance(2s);
  EXPECT_EQ(theirs->take().substr(3, 1), std::string(1, static_cast<char>(kPing)));
  EXPECT_FALSE(over);
  loop->advance(15s);
  EXPECT_TRUE(over);
}

TEST(Sessions, a_peer_that_answers_pings_is_kept_for_ever) {
  const auto loop = net::Loop::simulated();
  auto [ours, theirs] = net::testing::make_pipe(*loop);
  Session server(std::move(theirs), no_calls, SessionLimits::for_server());
  const auto client = Client::over(std::move(ours));
  net::TaskScope scope;
  scope.spawn(server.run());
  for (int i = 0; i < 600; ++i) loop->advance(1s);
  EXPECT_FALSE(server.broken());
}

}  // namespace
}  // namespace weft::http::grpc

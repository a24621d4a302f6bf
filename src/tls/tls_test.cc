#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>

#include <optional>

#include "tls/openssl.h"
#include "tls/stream.h"

namespace weft::tls {
namespace {

WallTime now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

struct Issued {
  std::string certificate, key;
};

/// An authority and what it issues.
struct Issuer {
  CertificateAuthority authority = *CertificateAuthority::make("root", std::chrono::hours(1), now());

  Issued issue(std::vector<std::string> dns_names, std::string common_name = "x", WallTime at = now(),
               std::vector<std::string> uris = {}) const {
    const PrivateKey key = *PrivateKey::make();
    CertificateRequest request;
    request.common_name = std::move(common_name);
    request.dns_names = std::move(dns_names);
    request.uris = std::move(uris);
    request.lifetime = std::chrono::minutes(10);
    return {*authority.issue(request, key, at), key.pem()};
  }
  const std::string& root() const { return authority.certificate_pem(); }
};

TEST(Certificate, an_issued_certificate_says_whom_it_is_for) {
  const Issuer issuer;
  const PrivateKey key = *PrivateKey::make();
  const auto pem = issuer.authority.issue({.common_name = "weft-control, O=evil",
                                           .dns_names = {"a.example", "*.b.example", "c,DNS:d.example"},
                                           .ip_addresses = {"10.0.0.1", "2001:db8::1"},
                                           .uris = {"spiffe://cluster.local/ns/x/sa/y"},
                                           .lifetime = std::chrono::hours(2)},
                                          key, now());
  ASSERT_TRUE(pem) << pem.error().text;
  const auto info = read_certificate(*pem);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->common_name, "weft-control, O=evil");
  EXPECT_EQ(info->dns_names, (std::vector<std::string>{"a.example", "*.b.example", "c,DNS:d.example"}));
  EXPECT_EQ(info->ip_addresses, (std::vector<std::string>{"10.0.0.1", "2001:db8::1"}));
  EXPECT_EQ(info->uris, (std::vector<std::string>{"spiffe://cluster.local/ns/x/sa/y"}));
  EXPECT_FALSE(info->authority);
  EXPECT_LT(info->not_before, now());
  EXPECT_GT(info->not_after, now() + std::chrono::minutes(119));
  EXPECT_TRUE(read_certificate(issuer.root())->authority);
}

TEST(Certificate, an_authority_comes_back_from_its_texts_and_goes_on) {
  const Issuer issuer;
  const auto again = CertificateAuthority::read(issuer.root(), issuer.authority.key_pem());
  ASSERT_TRUE(again) << again.error().text;
  EXPECT_EQ(again->certificate_pem(), issuer.root());
  const Issuer other;
  EXPECT_FALSE(CertificateAuthority::read(issuer.root(), other.authority.key_pem()));
  const Issued leaf = issuer.issue({"a"});
  const auto no_authority = CertificateAuthority::read(leaf.certificate, leaf.key);
  ASSERT_FALSE(no_authority);
  EXPECT_NE(no_authority.error().text.find("CA:TRUE"), std::string::npos);
}

TEST(Certificate, texts_that_are_not_one_are_rejected) {
  const Issued leaf = Issuer().issue({"a"});
  for (const std::string& bad :
       {std::string(), std::string("x"), leaf.certificate.substr(0, leaf.certificate.size() / 2),
        std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")}) {
    EXPECT_FALSE(read_certificate(bad)) << bad;
    EXPECT_FALSE(PrivateKey::read(bad)) << bad;
    EXPECT_FALSE(Context::client({.roots_pem = bad, .server_name = "a"})) << bad;
    EXPECT_FALSE(Context::server({.certificate_chain_pem = bad, .private_key_pem = leaf.key})) << bad;
    EXPECT_FALSE(Context::server({.certificate_chain_pem = leaf.certificate, .private_key_pem = bad})) << bad;
  }
  const Issued other = Issuer().issue({"a"});
  EXPECT_FALSE(Context::server({.certificate_chain_pem = leaf.certificate, .private_key_pem = other.key}));
}

/// Two ends of a connection over loopback, each with its context.
class Tls : public ::testing::Test {
 protected:
  using Made = Result<std::unique_ptr<Stream>>;

  static net::Task<void> connect(Tls& self, std::shared_ptr<const Context> context) {
    auto socket = co_await net::connect(self.loop_, self.at_, {.deadline = self.loop_.now() + 5s});
    if (!socket) {
      self.client_.emplace(fail(socket.error()));
      co_return;
    }
    self.client_.emplace(co_await handshake(std::move(*socket), std::move(context), self.loop_.now() + 5s));
  }
  static net::Task<void> accept(Tls& self, std::shared_ptr<const Context> context) {
    auto socket = co_await self.listener_->accept();
    self.server_.emplace(co_await handshake(std::move(*socket), std::move(context), self.loop_.now() + 5s));
  }

  void shake(const Result<std::shared_ptr<const Context>>& client,
             const Result<std::shared_ptr<const Context>>& server) {
    ASSERT_TRUE(client) << client.error().text;
    ASSERT_TRUE(server) << server.error().text;
    client_.reset();
    server_.reset();
    net::TaskScope scope;
    scope.spawn(accept(*this, *server));
    scope.spawn(connect(*this, *client));
    until([this] { return client_ && server_; });
  }
  template <class Done>
  void until(const Done& done) {
    const TimePoint limit = SteadyClock::now() + 20s;
    while (!done()) {
      ASSERT_LT(SteadyClock::now(), limit);
      loop_.run_once(100ms);
    }
  }
  static Result<std::shared_ptr<const Context>> serve(const Issued& issued, std::string client_roots = "",
                                                      std::vector<std::string> alpn = {}) {
    return Context::server({.certificate_chain_pem = issued.certificate,
                            .private_key_pem = issued.key,
                            .client_roots_pem = std::move(client_roots),
                            .alpn = std::move(alpn)});
  }
  static Result<std::shared_ptr<const Context>> trust(const Issuer& issuer, std::string name,
                                                      const Issued& shown = {},
                                                      std::vector<std::string> alpn = {}) {
    return Context::client({.roots_pem = issuer.root(),
                            .server_name = std::move(name),
                            .certificate_chain_pem = shown.certificate,
                            .private_key_pem = shown.key,
                            .alpn = std::move(alpn)});
  }
  void shake_plainly() {
    const Issuer issuer;
    shake(trust(issuer, "a.example"), serve(issuer.issue({"a.example"})));
    ASSERT_TRUE(*client_) << client_->error().text;
    ASSERT_TRUE(*server_) << server_->error().text;
  }
  Stream& client() { return ***client_; }
  Stream& server() { return ***server_; }

  net::Loop loop_;
  std::unique_ptr<net::Listener> listener_ =
      std::move(*net::Listener::listen(loop_, *net::Address::parse_ip("127.0.0.1", 0)));
  net::Address at_ = listener_->local_address();
  std::optional<Made> client_, server_;
};

std::string pattern(std::size_t size, unsigned seed) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 31 + seed + i / 251) & 0xff);
  return text;
}

net::Task<void> write_all(net::Stream& stream, const std::string& text, bool& done) {
  const auto sent = co_await stream.write(text);
  EXPECT_EQ(sent.bytes, text.size());
  done = true;
}

net::Task<void> read_all(net::Stream& stream, std::string& text, std::size_t size, std::size_t piece,
                         bool& done) {
  std::string buffer(piece, '\0');
  while (text.size() < size) {
    const auto got = co_await stream.read(std::span(buffer.data(), buffer.size()));
    if (!got.ok()) break;
    text.append(buffer, 0, got.bytes);
  }
  done = true;
}

net::Task<void> read_once(net::Stream& stream, std::optional<net::IoResult>& got) {
  char buffer[100];
  got = co_await stream.read(std::span(buffer, sizeof buffer));
}

TEST_F(Tls, both_ends_know_what_was_agreed_on) {
  const Issuer issuer;
  const Issued me = issuer.issue({}, "client", now(), {"spiffe://x/y"});
  shake(trust(issuer, "a.example", me, {"http/1.1", "h2"}),
        serve(issuer.issue({"b.example", "a.example"}), issuer.root(), {"h2", "http/1.1"}));
  ASSERT_TRUE(*client_) << client_->error().text;
  ASSERT_TRUE(*server_) << server_->error().text;
  EXPECT_EQ(client().protocol(), "h2");
  EXPECT_EQ(server().protocol(), "h2");
  EXPECT_EQ(client().version(), "TLSv1.3");
  EXPECT_EQ(client().peer_certificate()->dns_names.at(1), "a.example");
  EXPECT_EQ(server().peer_certificate()->uris.at(0), "spiffe://x/y");
  EXPECT_EQ(server().peer_address().ip(), "127.0.0.1");
}

TEST_F(Tls, protocols_without_overlap_are_not_an_agreement) {
  const Issuer issuer;
  shake(trust(issuer, "a", {}, {"spdy"}), serve(issuer.issue({"a"}), "", {"h2"}));
  ASSERT_TRUE(*client_) << client_->error().text;
  EXPECT_EQ(client().protocol(), "");
}

TEST_F(Tls, a_server_of_another_authority_is_denied) {
  const Issuer ours, other;
  shake(trust(ours, "a.example"), serve(other.issue({"a.example"})));
  ASSERT_FALSE(*client_);
  EXPECT_EQ(client_->error().code, Code::kDenied) << client_->error().text;
  EXPECT_EQ(client_->error().blame, Blame::kUpstream);
  ASSERT_FALSE(*server_);
  EXPECT_EQ(server_->error().blame, Blame::kDownstream);
}

TEST_F(Tls, a_certificate_counts_for_its_alternative_names_only) {
  const Issuer issuer;
  for (const char* name : {"b.example", "x.a.example", "a.example.", "10.0.0.1", "example"}) {
    shake(trust(issuer, name), serve(issuer.issue({"a.example"})));
    ASSERT_FALSE(*client_) << name;
    EXPECT_EQ(client_->error().code, Code::kDenied);
    EXPECT_EQ(client_->error().text,
              "TLS handshake: the server's certificate is not for " + std::string(name));
  }
  // A common name is for people.
  shake(trust(issuer, "a.example"), serve(issuer.issue({}, "a.example")));
  EXPECT_FALSE(*client_);
  shake(trust(issuer, "x.a.example"), serve(issuer.issue({"*.a.example"})));
  EXPECT_TRUE(*client_);
  shake(trust(issuer, "x.y.a.example"), serve(issuer.issue({"*.a.example"})));
  EXPECT_FALSE(*client_);
}

TEST_F(Tls, a_certificate_that_has_expired_or_is_not_valid_yet_is_denied) {
  const Issuer issuer;
  for (const WallTime at : {now() - std::chrono::minutes(11), now() + std::chrono::minutes(5)}) {
    shake(trust(issuer, "a"), serve(issuer.issue({"a"}, "x", at)));
    ASSERT_FALSE(*client_);
    EXPECT_EQ(client_->error().code, Code::kDenied) << client_->error().text;
  }
}

TEST_F(Tls, a_client_without_a_certificate_is_denied_when_one_is_needed) {
  const Issuer issuer, other;
  const Issued mine = issuer.issue({"a"});
  shake(trust(issuer, "a"), serve(mine, issuer.root()));
  ASSERT_FALSE(*server_);
  EXPECT_EQ(server_->error().code, Code::kDenied);
  EXPECT_EQ(server_->error().text, "TLS handshake: the peer showed no certificate");
  shake(trust(issuer, "a", other.issue({})), serve(mine, issuer.root()));
  ASSERT_FALSE(*server_);
  EXPECT_EQ(server_->error().code, Code::kDenied) << server_->error().text;
}

TEST_F(Tls, much_goes_both_ways_at_once) {
  shake_plainly();
  const std::string up = pattern(8'000'000, 1), down = pattern(9'000'000, 7);
  std::string got_up, got_down;
  bool done[4] = {};
  net::TaskScope scope;
  scope.spawn(write_all(client(), up, done[0]));
  scope.spawn(write_all(server(), down, done[1]));
  scope.spawn(read_all(server(), got_up, up.size(), 100'000, done[2]));
  scope.spawn(read_all(client(), got_down, down.size(), 777, done[3]));
  until([&] { return done[0] && done[1] && done[2] && done[3]; });
  EXPECT_TRUE(got_up == up);
  EXPECT_TRUE(got_down == down);
}

TEST_F(Tls, small_parts_leave_together_and_a_full_socket_takes_no_more) {
  shake_plainly();
  std::string a = "one ", b = "two ", c = pattern(20'000, 3);
  const iovec parts[] = {{a.data(), a.size()}, {b.data(), b.size()}, {c.data(), c.size()}};
  const net::IoResult first = client().try_write(parts);
  EXPECT_EQ(first.bytes, 16384u);
  std::string sent = (a + b + c).substr(0, first.bytes);
  net::IoResult last;
  while ((last = client().try_write(parts)).ok()) sent += (a + b + c).substr(0, last.bytes);
  EXPECT_EQ(last.error, net::IoError::kWouldBlock);
  // What is half sent must be offered again, from wherever it lies now.
  std::string moved = (a + b + c).substr(0, 16384);
  std::string got;
  bool done[2] = {};
  net::TaskScope scope;
  scope.spawn(write_all(client(), moved, done[0]));
  scope.spawn(read_all(server(), got, sent.size() + moved.size(), 4096, done[1]));
  until([&] { return done[0] && done[1]; });
  EXPECT_TRUE(got == sent + moved);
}

TEST_F(Tls, an_orderly_end_is_an_end_and_the_other_direction_goes_on) {
  shake_plainly();
  client().shutdown_write();
  std::optional<net::IoResult> got;
  net::TaskScope scope;
  scope.spawn(read_once(server(), got));
  until([&] { return got.has_value(); });
  EXPECT_EQ(got->error, net::IoError::kEnd);
  bool done[2] = {};
  std::string text;
  scope.spawn(write_all(server(), "still here", done[0]));
  scope.spawn(read_all(client(), text, 10, 100, done[1]));
  until([&] { return done[0] && done[1]; });
  EXPECT_EQ(text, "still here");
}

TEST_F(Tls, is_quiet_when_all_that_came_was_read_and_not_before) {
  shake_plainly();
  EXPECT_TRUE(client().quiet()) << "a session ticket is not application data";
  bool done = false;
  net::TaskScope scope;
  scope.spawn(write_all(server(), "ab", done));
  until([&] { return done && !client().quiet(); });
  char byte = 0;
  ASSERT_EQ(client().try_read({&byte, 1}).bytes, 1u);
  EXPECT_EQ(byte, 'a') << "to look takes nothing away";
  EXPECT_FALSE(client().quiet()) << "half of a record waits, and no system call would show it";
  ASSERT_EQ(client().try_read({&byte, 1}).bytes, 1u);
  EXPECT_TRUE(client().quiet());
  server().close();
  until([&] { return !client().quiet(); });
  client().close();
  EXPECT_FALSE(client().quiet());
}

TEST_F(Tls, a_reader_of_many_small_records_is_held_back_and_then_told_to_go_on) {
  shake_plainly();
  constexpr std::size_t kRecords = 2000;
  char byte = 'x';
  const iovec part{&byte, 1};
  for (std::size_t i = 0; i < kRecords; ++i) ASSERT_EQ(client().try_write({&part, 1}).bytes, 1u);
  std::size_t taken = 0;
  while (server().try_read({&byte, 1}).ok()) ++taken;
  ASSERT_LT(taken, kRecords);
  EXPECT_FALSE(server().quiet());
  std::string rest;
  bool done = false;
  net::TaskScope scope;
  scope.spawn(read_all(server(), rest, kRecords - taken, 100, done));
  until([&] { return done; });
  EXPECT_EQ(rest.size(), kRecords - taken);
}

/// A client of OpenSSL's own, which says what no application asks for.
class RawClient {
 public:
  explicit RawClient(const net::Address& at)
      : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
        ssl_(SSL_new(context_.get()), SSL_free),
        out_(BIO_new(BIO_s_mem())),
        fd_(::socket(at.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    EXPECT_EQ(::connect(fd_.get(), at.data(), at.size()), 0);
    EXPECT_EQ(::fcntl(fd_.get(), F_SETFL, O_NONBLOCK), 0);
    SSL_set_bio(ssl_.get(), BIO_new_socket(fd_.get(), BIO_NOCLOSE), out_);
    SSL_set_connect_state(ssl_.get());
  }
  bool shake_hands() {
    const bool done = SSL_do_handshake(ssl_.get()) == 1;
    send();
    return done;
  }
  void change_keys() {
    EXPECT_EQ(SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    EXPECT_EQ(SSL_do_handshake(ssl_.get()), 1);
  }
  void say(std::string_view text) {
    EXPECT_GT(SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())), 0);
  }
  /// As much as is taken of what was said.
  void send() {
    unsent_ += text_of(out_);
    static_cast<void>(BIO_reset(out_));
    const ssize_t sent = ::send(fd_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent > 0) unsent_.erase(0, static_cast<std::size_t>(sent));
  }

 private:
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  BIO* out_;  ///< the SSL's
  net::Fd fd_;
  std::string unsent_;
};

TEST_F(Tls, a_peer_that_changes_its_keys_without_end_gives_others_their_turn) {
  const Issuer issuer;
  net::TaskScope scope;
  scope.spawn(accept(*this, *serve(issuer.issue({"a.example"}))));
  RawClient raw(at_);
  until([&] { return raw.shake_hands() && server_; });
  ASSERT_TRUE(*server_) << server_->error().text;
  constexpr int kRecords = 4000;  // of some 27 bytes
  for (int i = 0; i < kRecords; ++i) raw.change_keys();
  raw.say("x");
  raw.send();
  char byte = 0;
  EXPECT_EQ(server().try_read({&byte, 1}).error, net::IoError::kWouldBlock);
  EXPECT_FALSE(server().quiet()) << "there is more";
  std::optional<net::IoResult> got;
  scope.spawn(read_once(server(), got));
  until([&] {
    raw.send();
    return got.has_value();
  });
  EXPECT_EQ(got->bytes, 1u);
}

TEST_F(Tls, an_end_without_a_word_is_a_broken_connection) {
  shake_plainly();
  client_.reset();  // a socket that closes, and no close_notify
  std::optional<net::IoResult> got;
  net::TaskScope scope;
  scope.spawn(read_once(server(), got));
  until([&] { return got.has_value(); });
  EXPECT_EQ(got->error, net::IoError::kReset);
}

TEST_F(Tls, reads_wait_no_longer_than_their_deadline_and_end_when_we_close) {
  shake_plainly();
  std::optional<net::IoResult> late, closed;
  server().set_read_deadline(loop_.now() + 20ms);
  net::TaskScope scope;
  scope.spawn(read_once(server(), late));
  until([&] { return late.has_value(); });
  EXPECT_EQ(late->error, net::IoError::kTimeout);
  server().set_read_deadline(kNever);
  scope.spawn(read_once(server(), closed));
  server().close();
  until([&] { return closed.has_value(); });
  EXPECT_EQ(closed->error, net::IoError::kClosed);
}

net::Task<void> speak_plainly(net::Loop& loop, net::Address at, std::string text,
                              std::unique_ptr<net::Socket>& keep) {
  auto socket = co_await net::connect(loop, at, {.deadline = loop.now() + 5s});
  EXPECT_TRUE(socket);
  static_cast<void>(co_await (*socket)->write(text));
  keep = std::move(*socket);
}

net::Task<void> accept_within(net::Loop& loop, net::Listener& listener,
                              std::shared_ptr<const Context> context, Duration timeout,
                              std::optional<Result<std::unique_ptr<Stream>>>& made) {
  auto socket = co_await listener.accept();
  made.emplace(co_await handshake(std::move(*socket), std::move(context), loop.now() + timeout));
}

TEST_F(Tls, a_client_that_speaks_no_tls_is_an_error_and_a_silent_one_a_timeout) {
  const Issuer issuer;
  const auto context = *serve(issuer.issue({"a"}));
  for (const std::string& text : {std::string("GET / HTTP/1.1\r\nhost: a\r\n\r\n"), pattern(5000, 9),
                                  std::string("\x16\x03\x01\x00\x05\xff\x00\x00\x01\x00", 10)}) {
    std::unique_ptr<net::Socket> keep;
    std::optional<Made> made;
    net::TaskScope scope;
    scope.spawn(accept_within(loop_, *listener_, context, 5s, made));
    scope.spawn(speak_plainly(loop_, at_, text, keep));
    until([&] { return made.has_value(); });
    ASSERT_FALSE(*made);
    EXPECT_EQ(made->error().code, Code::kInvalid) << made->error().text;
  }
  std::unique_ptr<net::Socket> keep;
  std::optional<Made> made;
  net::TaskScope scope;
  scope.spawn(accept_within(loop_, *listener_, context, 30ms, made));
  scope.spawn(speak_plainly(loop_, at_, "\x16\x03", keep));
  until([&] { return made.has_value(); });
  ASSERT_FALSE(*made);
  EXPECT_EQ(made->error().code, Code::kTimeout) << made->error().text;
}

net::Task<void> pump(net::Stream& from, net::Stream& to, std::size_t piece) {
  std::string buffer(piece, '\0');
  for (;;) {
    const auto got = co_await from.read(std::span(buffer.data(), buffer.size()));
    if (!got.ok()) break;
    const auto sent = co_await to.write(std::string_view(buffer).substr(0, got.bytes));
    if (!sent.ok()) break;
    co_await from.loop().yield();
  }
}

net::Task<void> forward(net::Loop& loop, net::Listener& listener, net::Address to, std::size_t piece) {
  auto from = co_await listener.accept();
  auto onward = co_await net::connect(loop, to, {.deadline = loop.now() + 5s});
  net::TaskScope scope;
  scope.spawn(pump(**from, **onward, piece));
  scope.spawn(pump(**onward, **from, piece));
  co_await scope.join();
}

TEST_F(Tls, records_may_arrive_in_pieces_of_any_size) {
  const Issuer issuer;
  const Issued leaf = issuer.issue({"a"});
  const net::Address server_at = at_;
  for (const std::size_t piece : {1, 2, 3, 5, 7, 16, 100, 1000, 16389}) {
    auto between = std::move(*net::Listener::listen(loop_, *net::Address::parse_ip("127.0.0.1", 0)));
    at_ = between->local_address();
    net::TaskScope scope;
    scope.spawn(forward(loop_, *between, server_at, piece));
    shake(trust(issuer, "a", leaf), serve(leaf, issuer.root()));
    ASSERT_TRUE(*client_) << piece << ": " << client_->error().text;
    ASSERT_TRUE(*server_) << piece << ": " << server_->error().text;
    const std::string up = pattern(20'000, 1), down = pattern(20'000, 2);
    std::string got_up, got_down;
    bool done[4] = {};
    scope.spawn(write_all(client(), up, done[0]));
    scope.spawn(write_all(server(), down, done[1]));
    scope.spawn(read_all(server(), got_up, up.size(), 20'000, done[2]));
    scope.spawn(read_all(client(), got_down, down.size(), 20'000, done[3]));
    until([&] { return done[0] && done[1] && done[2] && done[3]; });
    EXPECT_TRUE(got_up == up && got_down == down) << piece;
  }
}

}  // namespace
}  // namespace weft::tls

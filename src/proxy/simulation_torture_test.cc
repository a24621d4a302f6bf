#include <gtest/gtest.h>

#include <map>
#include <set>

#include "http/client_session.h"
#include "http/server_session.h"
#include "net/testing/seeds.h"
#include "proxy/filters/fault/fault_filter.h"
#include "proxy/testing/plane.h"
#include "proxy/testing/simulated_plane.h"

namespace weft::proxy {
namespace {

using namespace testing;
using net::testing::PipeEnd;

/// Bytes that belong to one request or response and to no other.
std::string bytes_of(std::string_view kind, const std::string& token, std::size_t size) {
  std::string text;
  text.reserve(size + 64);
  while (text.size() < size) text.append(kind).append(token).push_back('.');
  text.resize(size);
  return text;
}

/// What one request is and what its server does with it: all from its token.
struct Script {
  explicit Script(const std::string& name) : token(name), random(std::hash<std::string>()(name)) {
    method = std::array{"GET", "POST", "PUT", "HEAD"}[random.below(4)];
    const std::size_t largest = name.front() == 'f' ? 2'000 : 90'000;
    if (method != "GET" && method != "HEAD") request_size = random.below(random.below(3) ? 300 : largest);
    response_size = random.below(random.below(3) ? 300 : largest);
    request_length = random.below(2);
    response_length = random.below(2);
    request_trailers = !request_length && request_size && random.below(4) == 0;
    status = random.below(8) ? 200 : 503;
    early = random.below(5) == 0;
    interims = random.below(6) == 0;
    if (random.below(12) == 0) cut_at = random.below(response_size + 1);
    if (random.below(10) == 0) leaves_after = Milliseconds(random.below(40));
  }
  std::string request_body() const { return bytes_of("q", token, request_size); }
  std::string response_body() const { return bytes_of("r", token, method == "HEAD" ? 0 : response_size); }
  bool pauses() { return pauses_left > 0 && random.below(6) == 0 && pauses_left-- > 0; }
  Duration pause() { return random.below(20) ? Duration(Milliseconds(random.below(5))) : Duration(3s); }

  std::string token;
  Random random;
  std::string method;
  std::size_t request_size = 0, response_size = 0;
  int pauses_left = 20;
  bool request_length, response_length, request_trailers, early, interims;
  int status;
  std::optional<std::size_t> cut_at;         ///< the server breaks the response off there
  std::optional<Milliseconds> leaves_after;  ///< the client disconnects
};

template <class Exchange>
net::Task<Result<void>> send_pieces(Exchange& exchange, std::string body, Script& script, net::Loop& loop,
                                    std::size_t until, const http::Headers* trailers) {
  std::string_view rest = std::string_view(body).substr(0, until);
  const bool whole = until >= body.size();
  while (!rest.empty()) {
    const std::string_view piece = rest.substr(0, 1 + script.random.below(8000));
    rest.remove_prefix(piece.size());
    WEFT_CO_CHECK(co_await exchange.send_body(piece, rest.empty() && whole && !trailers));
    if (script.pauses()) co_await loop.sleep(script.pause());
  }
  if (trailers) co_return co_await exchange.send_trailers(*trailers);
  if (body.empty()) co_return co_await exchange.send_body({}, true);
  co_return Result<void>{};
}

class Torture {
 public:
  /// By the version of the client, then that of the endpoint: "12".
  using Answered = std::map<std::string, std::size_t>;

  Torture(std::uint64_t seed, Answered& answered) : random_(seed), plane_(seed), answered_(answered) {
    plane_.accept = [this](const net::Address&, std::unique_ptr<PipeEnd> end) {
      return accept(std::move(end));
    };
    change();
  }

  void run() {
    const std::size_t clients = 1 + random_.below(4);
    for (std::size_t i = 0; i < clients; ++i) begin_client(i);
    for (int step = 0; open_ > 0 && step < 4000; ++step) {
      plane_.loop().advance(Milliseconds(1 + random_.below(10) * random_.below(200)));
      if (random_.below(40) == 0) change();
      if (random_.below(60) == 0 && !servers_.empty())
        servers_[random_.below(servers_.size())]->session->drain();
    }
    EXPECT_EQ(open_, 0u) << "requests without an end:" << under_way() << plane_.worker().stats().plain();
    plane_.loop().advance(2h);
    for (const char* gauge : {"http.front.downstream_rq_active", "http.front.downstream_cx_active",
                              "cluster.a.upstream_rq_active", "cluster.a.upstream_cx_active",
                              "cluster.a.upstream_rq_pending_active"})
      EXPECT_EQ(plane_.stat(gauge), 0u) << gauge;
    EXPECT_EQ(plane_.worker().connections(), 0u);
  }

 private:
  struct Server {
    explicit Server(std::unique_ptr<PipeEnd> of)
        : end(std::move(of)), session(http::make_server_session(http::Protocol::kAuto, *end, options)) {}
    std::unique_ptr<PipeEnd> end;
    http::ServerSessionOptions options;
    std::unique_ptr<http::ServerSession> session;
    net::TaskScope tasks;
  };

  Result<void> accept(std::unique_ptr<PipeEnd> end) {
    if (random_.below(15) == 0)
      return fail(Error::upstream(Code::kRefused, Retry::kElsewhere, "connection refused"));
    end->set_fragment(1 + random_.below(fine_ ? 20 : 60'000));
    servers_.push_back(std::make_unique<Server>(std::move(end)));
    servers_.back()->options.max_requests = static_cast<std::uint32_t>(random_.below(5));
    servers_.back()->options.idle_timeout = Milliseconds(1 + random_.below(random_.below(2) ? 50 : 100'000));
    servers_.back()->options.http2.max_concurrent_streams = static_cast<std::uint32_t>(1 + random_.below(8));
    servers_.back()->tasks.spawn(serve(*this, *servers_.back()));
    return {};
  }
  static net::Task<void> serve(Torture& self, Server& server) {
    const http::Handler handler = [&self](http::ServerExchange& exchange) { return self.handle(exchange); };
    co_await server.session->serve(handler);
  }

  net::Task<void> handle(http::ServerExchange& exchange) {
    Script script(exchange.request().path.substr(1));
    script.random = Random(script.random.next() + 1);
    EXPECT_EQ(exchange.request().method, script.method);
    if (script.pauses()) co_await plane_.loop().sleep(script.pause());
    if (!script.early && !co_await read_request(exchange, script)) co_return exchange.reset();
    if (script.interims) {
      http::ResponseHead interim;
      interim.status = 103;
      if (!co_await exchange.send_interim(interim)) co_return exchange.reset();
    }
    if (!co_await respond(exchange, script)) co_return exchange.reset();
    if (script.early) static_cast<void>(co_await read_request(exchange, script));
  }

  net::Task<bool> read_request(http::ServerExchange& exchange, Script& script) {
    std::string body;
    const std::string expected = script.request_body();
    while (!exchange.request_complete()) {
      const Result<http::BodyChunk> chunk = co_await exchange.read_body();
      if (!chunk) co_return false;
      body.append(chunk->data);
      if (chunk->end) EXPECT_EQ(chunk->trailers != nullptr, script.request_trailers) << script.token;
      if (chunk->end) break;
      if (script.pauses()) co_await plane_.loop().sleep(script.pause());
    }
    EXPECT_EQ(body, expected);
    co_return body == expected;
  }

  net::Task<bool> respond(http::ServerExchange& exchange, Script& script) {
    const std::string body = script.response_body();
    http::ResponseHead head;
    head.status = script.status;
    head.headers.add("x-token", script.token);
    head.headers.add("x-version", exchange.request().version == http::Version::k2 ? "2" : "1");
    if (script.response_length) head.content_length = body.size();
    const Result<void> began = co_await exchange.send_head(head, body.empty() && !script.cut_at);
    if (!began) co_return false;
    if (body.empty()) co_return !script.cut_at;
    const auto sent = co_await send_pieces(exchange, body, script, plane_.loop(),
                                           script.cut_at.value_or(body.size() + 1), nullptr);
    co_return sent.has_value() && (!script.cut_at || *script.cut_at >= body.size());
  }

  std::string under_way() const {
    std::string text;
    for (const std::string& token : asked_) text += " " + token;
    return text + "\n";
  }

  /// A client of one version. One of HTTP/2 makes several requests at once.
  struct Client {
    std::size_t number;
    http::Protocol protocol;
    std::shared_ptr<http::ClientSession> session;
  };

  void begin_client(std::size_t number) {
    auto client = std::make_shared<Client>(Client{number, random_version(), nullptr});
    const std::size_t lanes = client->protocol == http::Protocol::kHttp2 ? 1 + random_.below(4) : 1;
    for (std::size_t lane = 0; lane < lanes; ++lane) tasks_.spawn(ask_in_turn(client, lane));
  }
  http::Protocol random_version() {
    return random_.below(2) ? http::Protocol::kHttp1 : http::Protocol::kHttp2;
  }

  net::Task<void> ask_in_turn(std::shared_ptr<Client> client, std::size_t lane) {
    ++open_;
    const std::size_t requests = 1 + random_.below(6);
    for (std::size_t i = 0; i < requests; ++i) {
      if (!client->session || client->session->capacity() == 0) client->session = connect(client->protocol);
      Script script((fine_ ? "f" : "c") + std::to_string(random_.next() % 1'000'000) + "-" +
                    std::to_string(client->number) + "-" + std::to_string(lane) + "-" + std::to_string(i));
      asked_.insert(script.token);
      co_await ask(*client, script);
      asked_.erase(script.token);
      if (random_.below(3) == 0) co_await plane_.loop().sleep(Milliseconds(random_.below(100)));
    }
    --open_;
  }

  std::shared_ptr<http::ClientSession> connect(http::Protocol protocol) {
    auto end = plane_.connect(random_.below(2) ? 256 * 1024 : 1 + random_.below(4000));
    end->set_fragment(1 + random_.below(fine_ ? 20 : 60'000));
    return http::make_client_session(protocol, std::move(end));
  }

  net::Task<void> ask(const Client& client, Script& script) {
    const std::shared_ptr<http::ClientSession> session = client.session;
    struct Exchange {
      explicit Exchange(http::ClientSession& on) : session(on), of(on.start()) {}
      ~Exchange() { session.finish(of); }
      http::ClientSession& session;
      http::ClientExchange& of;
    } const made(*session);
    http::ClientExchange& exchange = made.of;
    net::Timer leave(plane_.loop(), [&] { exchange.cancel(); });
    if (script.leaves_after) leave.arm(plane_.loop().now() + *script.leaves_after);
    http::RequestHead head;
    head.method = script.method;
    head.path = "/" + script.token;
    head.authority = "test";
    const std::string body = script.request_body();
    if (script.request_length && !body.empty()) head.content_length = body.size();
    http::ResponseHead response;
    std::string got;
    const Result<void> sent = co_await exchange.send_head(head, body.empty());
    if (!sent) co_return;
    Result<void> over;
    if (body.empty())
      over = co_await read_response(exchange, response, got, script);
    else
      over =
          co_await net::both(send_request(exchange, script), read_response(exchange, response, got, script));
    if (!over) co_return;  // a visible abort
    const auto token = response.headers.get("x-token");
    if (!token) {
      EXPECT_GE(response.status, 400) << "a response of our own is an error";
      co_return;
    }
    EXPECT_EQ(*token, script.token);
    EXPECT_FALSE(script.cut_at && *script.cut_at < script.response_body().size())
        << "a cut response is whole";
    EXPECT_EQ(got, script.response_body());
    const char* const spoken = client.protocol == http::Protocol::kHttp2 ? "2" : "1";
    ++answered_[spoken + std::string(response.headers.get("x-version").value_or(""))];
  }

  /// An end of the response does not wait for it: what is still to be sent may not be wanted any more.
  net::Task<Result<void>> send_request(http::ClientExchange& exchange, Script& script) {
    http::Headers trailers;
    trailers.add("x-sum", script.token);
    static_cast<void>(co_await send_pieces(exchange, script.request_body(), script, plane_.loop(),
                                           script.request_size,
                                           script.request_trailers ? &trailers : nullptr));
    co_return Result<void>{};
  }

  net::Task<Result<void>> read_response(http::ClientExchange& exchange, http::ResponseHead& head,
                                        std::string& body, Script& script) {
    do WEFT_CO_CHECK(co_await exchange.read_head(head));
    while (head.status < 200);
    while (!exchange.response_complete()) {
      WEFT_CO_TRY(const http::BodyChunk chunk, co_await exchange.read_body());
      body.append(chunk.data);
      if (chunk.end) break;
      if (script.pauses()) co_await plane_.loop().sleep(script.pause());
    }
    co_return Result<void>{};
  }

  /// Another configuration, within what every request above can bear.
  void change() {
    ClusterConfig cluster = cluster_of("a", {simulated_endpoint(1)});
    std::vector<net::Address> endpoints;
    for (int i = 1; i <= 3; ++i)
      if (random_.below(2)) endpoints.push_back(simulated_endpoint(i));
    if (!endpoints.empty()) cluster = cluster_of("a", endpoints);
    cluster.max_connections = static_cast<std::uint32_t>(1 + random_.below(4));
    cluster.max_pending_requests = static_cast<std::uint32_t>(random_.below(8) ? 100 : 1);
    cluster.max_requests_per_connection = static_cast<std::uint32_t>(random_.below(4));
    cluster.idle_timeout = Milliseconds(random_.below(2) ? 3'600'000 : 20);
    cluster.spoken = std::array{ClusterConfig::Spoken::kHttp1, ClusterConfig::Spoken::kHttp2,
                                ClusterConfig::Spoken::kAsDownstream}[random_.below(3)];
    Route route = route_to("/", "a");
    auto& action = std::get<ForwardAction>(route.action);
    action.timeout = Milliseconds(random_.below(3) ? 15'000 : 30);
    if (random_.below(2)) {
      RetryPolicy policy;
      policy.connect_failure = true;
      policy.five_xx = random_.below(2) == 0;
      action.retry = std::make_shared<const RetryPolicy>(policy);
    }
    if (random_.below(4) == 0)
      route.filters = {{"fault", fault_filter({.delay = Milliseconds(20),
                                               .delays_per_million = 300'000,
                                               .abort_status = 500,
                                               .aborts_per_million = 100'000})}};
    plane_.http.filters = {{"fault", fault_filter({})}};
    plane_.connect_delay = Milliseconds(random_.below(3) ? 0 : random_.below(6'000));
    plane_.pipe_capacity = random_.below(2) ? 256 * 1024 : 1 + random_.below(5000);
    ASSERT_TRUE(plane_.apply(table_of({route}), {cluster}));
  }

  Random random_;
  bool fine_ =
      random_.below(2) == 0;  ///< small messages in pieces of a few bytes, or large ones in large pieces
  SimulatedPlane plane_;
  Answered& answered_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::size_t open_ = 0;
  std::set<std::string> asked_;
  net::TaskScope tasks_;
};

/// SEED=n repeats one; SEEDS=n tries that many.
TEST(SimulationTorture, every_request_has_one_end_and_no_bytes_of_another) {
  Torture::Answered answered;
  const std::uint64_t count =
      net::testing::try_seeds(1000, [&](std::uint64_t seed) { Torture(seed, answered).run(); });
  for (const char* pairing : {"11", "12", "21", "22"})
    if (count >= 100) EXPECT_GT(answered[pairing], count / 4) << pairing;
}

}  // namespace
}  // namespace weft::proxy

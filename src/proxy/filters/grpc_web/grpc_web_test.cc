#include <gtest/gtest.h>

#include "base/base64.h"
#include "http/server_session.h"
#include "proxy/filters/grpc_web/grpc_web_filter.h"
#include "proxy/testing/http_call.h"
#include "proxy/testing/plane.h"
#include "proxy/testing/simulated_plane.h"

namespace weft::proxy {
namespace {

using namespace testing;
using http::Protocol;
using net::testing::PipeEnd;

/// "\x80", the length, and the fields.
std::string trailer_frame(const std::string& fields) {
  return std::string("\x80\0\0\0", 4) + static_cast<char>(fields.size()) + fields;
}

/// Browsers of either version before a chain with the filter, and one server of gRPC behind it, which sends
/// back what it was sent.
class GrpcWeb : public ::testing::Test {
 protected:
  GrpcWeb() {
    options.http2.max_concurrent_streams = 100;
    plane.http.filters = {{"grpc_web", grpc_web_filter()}};
    plane.accept = [this](const net::Address&, std::unique_ptr<PipeEnd> pipe) -> Result<void> {
      Endpoint& made = *endpoints.emplace_back(std::make_unique<Endpoint>());
      made.pipe = std::move(pipe);
      made.session = http::make_server_session(Protocol::kHttp2, *made.pipe, options);
      made.tasks.spawn(made.session->serve(handler));
      return {};
    };
    ClusterConfig cluster = cluster_of("a", {simulated_endpoint(1)});
    cluster.spoken = ClusterConfig::Spoken::kHttp2;
    WEFT_ASSERT(plane.apply(table_of({route_to("/", "a")}), {std::move(cluster)}).has_value());
  }
  net::Task<void> echo(http::ServerExchange& exchange) {
    seen = exchange.request();
    std::string body;
    for (;;) {
      const auto chunk = co_await exchange.read_body();
      if (!chunk) co_return;
      body.append(chunk->data);
      if (chunk->end) break;
    }
    http::ResponseHead head;
    head.status = 200;
    head.headers.add("content-type", "application/grpc");
    head.headers.add("x-initial", "1");
    if (!co_await exchange.send_head(head, false)) co_return;
    if (!co_await exchange.send_body(body, false)) co_return;
    http::Headers trailers;
    trailers.add("grpc-status", "0");
    trailers.add("x-final", "2");
    static_cast<void>(co_await exchange.send_trailers(trailers));
  }

  Message post(std::string type, std::string body) {
    Message request = get("/s/M");
    request.head.method = "POST";
    request.head.headers.add("content-type", type);
    request.body = std::move(body);
    request.has_body = true;
    return request;
  }
  std::unique_ptr<HttpCall> call(Message request, Protocol protocol = Protocol::kHttp1) {
    auto& client = *clients.emplace_back(http::make_client_session(protocol, plane.connect()));
    auto made = std::make_unique<HttpCall>(client, std::move(request));
    plane.loop().advance(0ms);
    return made;
  }

  SimulatedPlane plane;
  http::RequestHead seen;
  http::Handler handler = [this](http::ServerExchange& exchange) { return echo(exchange); };
  struct Endpoint {
    ~Endpoint() { tasks.cancel_all(); }
    std::unique_ptr<PipeEnd> pipe;
    std::unique_ptr<http::ServerSession> session;
    net::TaskScope tasks;
  };
  std::vector<std::unique_ptr<Endpoint>> endpoints;
  http::ServerSessionOptions options;                         ///< of endpoints
  std::vector<std::unique_ptr<http::ClientSession>> clients;  ///< their calls do not outlive them
};

constexpr std::string_view kMessage{"\0\0\0\0\3abc", 8};
const std::string kTrailers = trailer_frame("grpc-status:0\r\nx-final:2\r\n");

TEST_F(GrpcWeb, a_binary_request_is_a_call_and_its_trailers_are_the_last_frame) {
  for (const Protocol protocol : {Protocol::kHttp1, Protocol::kHttp2}) {
    Message request = post("application/grpc-web+proto", std::string(kMessage));
    request.head.content_length = kMessage.size();
    const auto done = call(std::move(request), protocol);
    EXPECT_EQ(done->status(), 200);
    EXPECT_EQ(done->body, std::string(kMessage) + kTrailers);
    EXPECT_EQ(done->response.headers.get("content-type"), "application/grpc-web+proto");
    EXPECT_EQ(done->response.headers.get("x-initial"), "1");
    EXPECT_TRUE(done->trailers.empty());
    EXPECT_EQ(seen.headers.get("content-type"), "application/grpc+proto");
    EXPECT_EQ(seen.headers.get("te"), "trailers");
  }
}

TEST_F(GrpcWeb, a_request_in_text_is_decoded_and_its_response_encoded) {
  Message request = post("application/grpc-web-text", encode_base64(kMessage) + encode_base64(kMessage));
  request.head.content_length = request.body.size();
  const auto done = call(std::move(request));
  EXPECT_EQ(seen.headers.get("content-type"), "application/grpc");
  EXPECT_EQ(done->response.headers.get("content-type"), "application/grpc-web-text+proto");
  EXPECT_EQ(done->body,
            encode_base64(std::string(kMessage) + std::string(kMessage)) + encode_base64(kTrailers));
}

TEST_F(GrpcWeb, a_long_body_in_text_arrives_as_it_was) {
  const std::string bytes(1'000'001, 'x');
  const auto done = call(post("application/grpc-web-text", encode_base64(bytes)));
  std::string back;
  for (std::string_view text = done->body; !text.empty(); text.remove_prefix(4))
    back += decode_base64(text.substr(0, 4)).value_or("?");
  EXPECT_TRUE(back == bytes + kTrailers) << back.size();
}

TEST_F(GrpcWeb, accept_says_the_form_of_the_response) {
  const std::tuple<const char*, const char*, const char*> kRows[] = {
      {"application/grpc-web", "application/grpc-web-text", "application/grpc-web-text+proto"},
      {"application/grpc-web-text", "application/grpc-web", "application/grpc-web+proto"},
      {"application/grpc-web-text+json", "*/*", "application/grpc-web+proto"},
      {"application/grpc-web;charset=utf-8", "application/grpc-web-text+proto, */*",
       "application/grpc-web-text+proto"}};
  for (const auto& [type, accept, want] : kRows) {
    Message request = post(type, "");
    request.head.headers.add("accept", accept);
    EXPECT_EQ(call(std::move(request))->response.headers.get("content-type"), want) << type;
  }
}

TEST_F(GrpcWeb, a_text_that_is_not_base64_is_an_internal_error) {
  for (const char* body : {"AAAA=", "A", "AAA", "\x01\x02\x03\x04"}) {
    const auto done = call(post("application/grpc-web-text", body));
    EXPECT_EQ(done->status(), 200) << body;
    EXPECT_EQ(done->response.headers.get("grpc-status"), "13") << body;
    EXPECT_EQ(done->response.headers.get("content-type"), "application/grpc-web-text+proto");
    EXPECT_EQ(done->body, "");
  }
}

TEST_F(GrpcWeb, a_response_that_is_a_head_alone_stays_one) {
  handler = [](http::ServerExchange& exchange) -> net::Task<void> {
    http::ResponseHead head;
    head.status = 200;
    head.headers.add("content-type", "application/grpc+json");
    head.headers.add("grpc-status", "5");
    static_cast<void>(co_await exchange.send_head(head, true));
  };
  const auto done = call(post("application/grpc-web-text", ""));
  EXPECT_EQ(done->response.headers.get("grpc-status"), "5");
  EXPECT_EQ(done->response.headers.get("content-type"), "application/grpc-web-text+json");
  EXPECT_EQ(done->body, "");
}

TEST_F(GrpcWeb, our_own_replies_are_grpc_web_too) {
  ASSERT_TRUE(plane.apply(table_of({}), {}));
  const auto done = call(post("application/grpc-web", ""));
  EXPECT_EQ(done->status(), 200);
  EXPECT_EQ(done->response.headers.get("content-type"), "application/grpc-web+proto");
  EXPECT_EQ(done->response.headers.get("grpc-status"), "12");
}

TEST_F(GrpcWeb, what_is_not_grpc_passes_as_it_is) {
  handler = [this](http::ServerExchange& exchange) -> net::Task<void> {
    seen = exchange.request();
    http::ResponseHead head;
    head.status = 503;
    head.headers.add("content-type", "text/plain");
    static_cast<void>(co_await exchange.send_head(head, false));
    static_cast<void>(co_await exchange.send_body("busy", true));
  };
  const auto response = call(post("application/grpc-web-text", ""));
  EXPECT_EQ(response->status(), 503);
  EXPECT_EQ(response->body, "busy");
  for (const char* type : {"application/grpc-webs", "application/grpc", "text/plain"}) {
    static_cast<void>(call(post(type, "QUJD")));
    EXPECT_EQ(seen.headers.get("content-type"), type);
  }
  Message preflight = get("/s/M");
  preflight.head.method = "OPTIONS";
  preflight.head.headers.add("content-type", "application/grpc-web");
  static_cast<void>(call(std::move(preflight)));
  EXPECT_EQ(seen.headers.get("content-type"), "application/grpc-web");
}

TEST_F(GrpcWeb, messages_pass_one_by_one_while_the_call_goes_on) {
  net::Loop& loop = plane.loop();
  handler = [&loop](http::ServerExchange& exchange) -> net::Task<void> {
    http::ResponseHead head;
    head.status = 200;
    head.headers.add("content-type", "application/grpc");
    static_cast<void>(co_await exchange.send_head(head, false));
    for (int i = 0; i < 3; ++i) {
      static_cast<void>(co_await exchange.send_body("ab", false));
      static_cast<void>(co_await exchange.flush());
      co_await loop.sleep(1s);
    }
    http::Headers trailers;
    trailers.add("grpc-status", "0");
    static_cast<void>(co_await exchange.send_trailers(trailers));
  };
  const auto streaming = call(post("application/grpc-web-text", ""));
  std::string want;
  for (int i = 0; i < 3; ++i) {
    want += encode_base64("ab");
    EXPECT_EQ(streaming->body, want);
    EXPECT_FALSE(streaming->done());
    loop.advance(1s);
  }
  EXPECT_EQ(streaming->body, want + encode_base64(trailer_frame("grpc-status:0\r\n")));
}

}  // namespace
}  // namespace weft::proxy

#include <gtest/gtest.h>

#include <functional>

#include "proxy/filters/router/request_time.h"
#include "proxy/testing/framed_plane.h"

namespace weft::proxy {
namespace {

using namespace testing;
using http::testing::with;

std::string text_of(std::optional<Milliseconds> time) { return time ? std::to_string(time->count()) : "-"; }

/// "response, duration, told", in milliseconds.
std::string time_of(const ForwardAction& action, const std::string& grpc_timeout,
                    std::string_view type = "application/grpc") {
  http::RequestHead head;
  head.method = "POST";
  head.headers.add("content-type", type);
  if (!grpc_timeout.empty()) head.headers.add("grpc-timeout", grpc_timeout);
  const auto time = RequestTime::of(action, head);
  if (!time) return "rejected";
  return text_of(time->response) + ", " + text_of(time->duration) + ", " + text_of(time->told);
}

struct Row {
  std::optional<Milliseconds> timeout;
  Milliseconds max_duration;
  std::optional<GrpcTimeout> duration, response;
  const char *said, *time;
};

std::string time_of(const Row& row, std::string_view type = "application/grpc") {
  ForwardAction action;
  action.timeout = row.timeout;
  action.max_duration = row.max_duration;
  action.grpc_duration = row.duration;
  action.grpc_response = row.response;
  return time_of(action, row.said, type);
}

TEST(RequestTimeOfCalls, is_the_route_s_where_that_does_not_go_by_what_calls_say) {
  for (const Row& row : {Row{{}, 0ms, {}, {}, "1S", "15000, -, -"}, Row{{}, 0ms, {}, {}, "1X", "15000, -, -"},
                         Row{0ms, 7ms, {}, {}, "1S", "0, 7, -"}})
    EXPECT_EQ(time_of(row), row.time) << row.said;
}

TEST(RequestTimeOfCalls, goes_by_what_the_client_says_as_far_as_the_route_lets_it) {
  constexpr GrpcTimeout kAny{}, kCut{.max = 500ms}, kEarlier{.offset = 100ms},
      kBoth{.max = 500ms, .offset = 100ms};
  for (const Row& row : {
           Row{0ms, 7ms, kAny, {}, "", "0, 7, -"},
           Row{0ms, 7ms, kAny, {}, "1S", "0, 1000, -"},
           Row{0ms, 7ms, kAny, {}, "0S", "0, 0, -"},
           Row{0ms, 7ms, kCut, {}, "1S", "0, 500, -"},
           Row{0ms, 7ms, kCut, {}, "100m", "0, 100, -"},
           Row{0ms, 7ms, kEarlier, {}, "1S", "0, 900, -"},
           Row{0ms, 7ms, kEarlier, {}, "50m", "0, 0, -"},
           Row{0ms, 7ms, kBoth, {}, "1S", "0, 400, -"},
           Row{3s, 0ms, {}, kAny, "", "0, -, -"},
           Row{3s, 0ms, {}, kAny, "1S", "1000, -, 1000"},
           Row{3s, 0ms, {}, kAny, "0S", "0, 0, -"},
           Row{3s, 0ms, {}, kCut, "", "500, -, 500"},
           Row{3s, 0ms, {}, kCut, "1S", "500, -, 500"},
           Row{3s, 0ms, {}, kCut, "100m", "100, -, 100"},
           Row{3s, 0ms, {}, kEarlier, "1S", "900, -, 900"},
           Row{3s, 0ms, {}, kEarlier, "50m", "50, -, 50"},
           Row{3s, 0ms, {}, kBoth, "", "500, -, 500"},
           Row{3s, 0ms, {}, kBoth, "550m", "450, -, 450"},
       })
    EXPECT_EQ(time_of(row), row.time) << row.said;
}

TEST(RequestTimeOfCalls, is_rejected_where_it_cannot_be_read_and_other_requests_are_not_looked_at) {
  const Row row{3s, 0ms, GrpcTimeout{}, {}, "1X", ""};
  EXPECT_EQ(time_of(row), "rejected");
  EXPECT_EQ(time_of(row, "text/plain"), "3000, -, -");
}

class Deadline : public ::testing::Test, protected FramedPlane {
 protected:
  void go_by(const std::function<void(ForwardAction&)>& change) {
    Route route = route_to("/", "a");
    change(std::get<ForwardAction>(route.action));
    begin(std::move(route));
  }
  void call(const std::string& timeout, bool end) { ask(with(call_head(), "grpc-timeout", timeout), end); }
  void begin_response() {
    respond({{":status", "200"}, {"content-type", "application/grpc"}}, false);
    respond_more("part", false);
  }
};

void by_duration(ForwardAction& action) {
  action.timeout = Milliseconds{0};
  action.grpc_duration = GrpcTimeout{};
}

TEST_F(Deadline, a_deadline_that_passes_is_a_status_and_ends_the_stream_to_the_endpoint) {
  go_by(by_duration);
  call("200m", false);
  pass(199ms);
  EXPECT_EQ(at_client(), "");
  EXPECT_TRUE(has(at_endpoint(), "grpc-timeout=200m"));
  pass(1ms);
  const std::string told = at_client();
  EXPECT_TRUE(has(told, "HEADERS 1 end :status=200"));
  EXPECT_TRUE(has(told, "grpc-status=4 grpc-message=downstream duration timeout"));
  EXPECT_EQ(at_endpoint(), "RST_STREAM 1 CANCEL\n");
  EXPECT_EQ(plane.stat("http.front.downstream_rq_max_duration_reached"), 1u);
}

TEST_F(Deadline, a_deadline_that_passes_behind_messages_is_a_status_in_trailers) {
  go_by(by_duration);
  call("200m", false);
  pass(100ms);
  begin_response();
  pass();
  EXPECT_TRUE(has(at_client(), "DATA 1 4 part"));
  static_cast<void>(at_endpoint());
  pass(100ms);
  EXPECT_TRUE(has(at_client(), "HEADERS 1 end grpc-status=4 grpc-message=downstream duration timeout\n"));
  EXPECT_EQ(at_endpoint(), "RST_STREAM 1 CANCEL\n");
}

TEST_F(Deadline, a_deadline_counts_from_the_head_however_slowly_the_request_comes) {
  go_by(by_duration);
  call("200m", false);
  for (int i = 0; i < 4; ++i) {
    pass(49ms);
    ask_more("x", false);
  }
  EXPECT_EQ(at_client(), "");
  pass(4ms);
  EXPECT_TRUE(has(at_client(), "grpc-status=4"));
}

TEST_F(Deadline, the_time_of_a_route_that_passes_is_the_same_status) {
  go_by([](ForwardAction& action) { action.timeout = Milliseconds{300}; });
  call("1S", true);
  pass(300ms);
  EXPECT_TRUE(has(at_client(), "grpc-status=4 grpc-message=upstream request timeout"));
  EXPECT_TRUE(has(at_endpoint(), "RST_STREAM 1 CANCEL\n"));
}

TEST_F(Deadline, other_requests_whose_response_has_begun_are_cut_at_their_time) {
  go_by([](ForwardAction& action) { action.timeout = Milliseconds{300}; });
  ask(with(http::testing::post(), "content-type", "text/plain"), true);
  pass();
  begin_response();
  pass(300ms);
  const std::string told = at_client();
  EXPECT_TRUE(has(told, "RST_STREAM 1"));
  EXPECT_EQ(told.find("grpc-status"), std::string::npos);
}

TEST_F(Deadline, what_a_call_says_replaces_the_time_of_its_route_and_the_endpoint_is_told_the_outcome) {
  go_by([](ForwardAction& action) {
    action.timeout = Milliseconds{5000};
    action.grpc_response = GrpcTimeout{.max = Milliseconds{400}};
  });
  call("1S", true);
  pass(399ms);
  EXPECT_EQ(at_client(), "");
  EXPECT_TRUE(has(at_endpoint(), "grpc-timeout=400m"));
  pass(1ms);
  EXPECT_TRUE(has(at_client(), "grpc-status=4"));
}

TEST_F(Deadline, a_malformed_timeout_is_an_internal_error_where_the_route_goes_by_it_and_passes_elsewhere) {
  for (const char* timeout : {"123456789S", "1", "-1S", "1X"}) {
    go_by(by_duration);
    call(timeout, true);
    pass();
    EXPECT_TRUE(has(at_client(), "grpc-status=13 grpc-message=malformed grpc-timeout"));
    EXPECT_EQ(endpoint, nullptr);
  }
  go_by([](ForwardAction&) {});
  call("1X", true);
  pass();
  EXPECT_TRUE(has(at_endpoint(), "grpc-timeout=1X"));
}

TEST_F(Deadline, the_longest_timeout_that_can_be_said_passes_and_does_not_overflow) {
  go_by(by_duration);
  call("99999999H", true);
  pass();
  acknowledge_settings();
  pass(24h);
  EXPECT_EQ(at_client(), "");
  EXPECT_TRUE(has(at_endpoint(), "grpc-timeout=99999999H"));
}

}  // namespace
}  // namespace weft::proxy

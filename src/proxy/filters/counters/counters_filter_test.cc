#include "proxy/filters/counters/counters_filter.h"

#include <gtest/gtest.h>

#include "proxy/testing/framed_plane.h"

namespace weft::proxy {
namespace {

using namespace testing;
using http::testing::Fields;
using http::testing::with;

const Fields kResponse = {{":status", "200"}, {"content-type", "application/grpc"}};

class CallCounters : public ::testing::Test, protected FramedPlane {
 protected:
  void call(const Fields& head = call_head(), Route route = route_to("/", "a")) {
    begin(std::move(route));
    ask(head, true);
    pass();
  }
  void respond_with_trailers(const char* status) {
    respond(kResponse, false);
    respond({{"grpc-status", status}}, true);
    pass();
  }
  /// Calls, successes and failures so far: "3 1 2".
  std::string counted() const {
    std::string text;
    for (const char* name : {"total", "success", "failure"})
      text += (text.empty() ? "" : " ") + std::to_string(plane.stat(std::string("cluster.a.grpc.") + name));
    return text;
  }
};

TEST_F(CallCounters, a_call_is_counted_by_its_status_in_trailers_or_in_a_head_alone) {
  call();
  EXPECT_EQ(counted(), "0 0 0");
  respond_with_trailers("0");
  EXPECT_EQ(counted(), "1 1 0");
  call();
  respond_with_trailers("14");
  EXPECT_EQ(counted(), "2 1 1");
  call();
  respond(with(kResponse, "grpc-status", "14"), true);
  pass();
  EXPECT_EQ(counted(), "3 1 2");
  call();
  respond(with(kResponse, "grpc-status", "0"), true);
  pass();
  EXPECT_EQ(counted(), "4 2 2");
  EXPECT_EQ(plane.stat("cluster.a.upstream_rq_2xx"), 4u);
}

TEST_F(CallCounters, a_call_without_a_status_has_failed) {
  call();
  respond({{":status", "200"}, {"content-type", "application/grpc"}}, true);
  pass();
  EXPECT_EQ(counted(), "1 0 1");
  call();
  respond_with_trailers("none");
  EXPECT_EQ(counted(), "2 0 2");
  call();
  respond({{":status", "503"}}, true);
  pass();
  EXPECT_EQ(counted(), "3 0 3");
}

TEST_F(CallCounters, a_call_that_its_endpoint_cuts_or_that_gets_a_reply_of_our_own_has_failed) {
  call();
  respond(kResponse, false);
  from_endpoint(http::testing::rst_stream(1, 2));
  pass();
  EXPECT_EQ(counted(), "1 0 1");
  call();
  from_endpoint(http::testing::rst_stream(1, 2));
  pass();
  EXPECT_TRUE(has(at_client(), "grpc-status=13 "));
  EXPECT_EQ(counted(), "2 0 2");
}

TEST_F(CallCounters, a_call_that_its_client_cancels_is_not_counted) {
  for (const bool begun : {false, true}) {
    call();
    if (begun) respond(kResponse, false);
    pass();
    from_client(http::testing::rst_stream(1, 8));
    pass();
  }
  EXPECT_EQ(counted(), "0 0 0");
  EXPECT_EQ(plane.stat("cluster.a.upstream_rq_total"), 2u);
}

TEST_F(CallCounters, a_call_that_is_tried_again_is_one_call) {
  Route route = route_to("/", "a");
  RetryPolicy policy;
  policy.grpc_statuses = 1u << 14;
  policy.base_interval = policy.max_interval = Milliseconds{0};
  std::get<ForwardAction>(route.action).retry = std::make_shared<const RetryPolicy>(policy);
  call(call_head(), std::move(route));
  respond(with(kResponse, "grpc-status", "14"), true);
  pass();
  EXPECT_EQ(counted(), "0 0 0");
  from_endpoint(http::testing::headers(3, with(kResponse, "grpc-status", "0"), true));
  pass();
  EXPECT_EQ(counted(), "1 1 0");
}

TEST_F(CallCounters, what_is_no_call_is_not_counted_whatever_its_response_says) {
  for (const Fields& other : {with(http::testing::post("/s/M"), "content-type", "application/grpcx"),
                              with(http::testing::post("/s/M"), "content-type", "application/grpc-web"),
                              with(http::testing::get("/s/M"), "content-type", "application/grpc")}) {
    call(other);
    respond_with_trailers("14");
    EXPECT_TRUE(has(at_client(), "grpc-status=14"));
  }
  EXPECT_EQ(counted(), "0 0 0");
  call(with(http::testing::post("/s/M"), "content-type", "application/grpc+proto"));
  respond_with_trailers("0");
  EXPECT_EQ(counted(), "1 1 0");
}

TEST_F(CallCounters, a_call_that_outlives_its_cluster_ends_as_others_do) {
  call();
  ASSERT_TRUE(plane.apply(table_of({}), {}));
  respond_with_trailers("0");
  EXPECT_TRUE(has(at_client(), "grpc-status=0"));
  EXPECT_EQ(plane.worker().stats().plain().find("grpc."), std::string::npos);
}

}  // namespace
}  // namespace weft::proxy

#include "common/request_log.h"

#include <gtest/gtest.h>

#include <boost/json/value.hpp>

#include "common/json.h"

namespace bookinfo {

namespace {

Request request(Headers headers, std::string target) {
  Request made;
  made.method = "GET";
  made.target = std::move(target);
  made.headers = std::move(headers);
  return made;
}

Served served() {
  return {.service = "details",
          .status = 200,
          .bytes = 178,
          .took = std::chrono::microseconds(1250),
          .when = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'000'000'000'007))};
}

}  // namespace

TEST(RequestLog, is_one_object_with_the_same_keys_every_time) {
  EXPECT_EQ(request_log_line(request({{"X-Request-ID", "id-1"}}, "/details/0?x=1"), served()),
            R"({"time":"2001-09-09T01:46:40.007Z","service":"details","request_id":"id-1","trace_id":null,)"
            R"("method":"GET","target":"/details/0?x=1","status":200,"bytes":178,"ms":1.2})");
  EXPECT_NE(request_log_line(request({}, "/"), served()).find(R"("request_id":null,)"), std::string::npos);
}

TEST(RequestLog, names_the_trace_of_b3_or_else_of_traceparent) {
  const std::string w3c = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto trace_id = [](Headers headers) {
    return parse_json(request_log_line(request(std::move(headers), "/"), served()))->at("trace_id");
  };
  EXPECT_EQ(trace_id({{"traceparent", w3c}}), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace_id({{"traceparent", w3c}, {"X-B3-TraceId", "48485a3953bb6124"}}), "48485a3953bb6124");
  for (const std::string& wrong : {std::string(), std::string("00-4bf9"), w3c.substr(0, 35), w3c.substr(1)}) {
    EXPECT_TRUE(trace_id({{"traceparent", wrong}}).is_null()) << wrong;
  }
}

TEST(RequestLog, tells_failures_in_the_same_form) {
  EXPECT_EQ(failure_log_line(served().when, "reviews", Headers{{"x-request-id", "id-1"}}, "no \"stars\"\n"),
            R"({"time":"2001-09-09T01:46:40.007Z","service":"reviews","request_id":"id-1","trace_id":null,)"
            R"("error":"no \"stars\"\u000a"})");
}

TEST(RequestLog, stays_one_line_of_json_whatever_a_client_sends) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::string line =
      request_log_line(request({{"x-request-id", all}}, all + std::string(70'000, 'x')), served());
  EXPECT_LT(line.size(), 4000U);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto parsed = parse_json(line);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->at("status").as_int64(), 200);
}

}  // namespace bookinfo

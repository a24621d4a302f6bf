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
            R"({"time":"2001-09-09T01:46:40.007Z","service":"details","request_id":"id-1","method":"GET",)"
            R"("target":"/details/0?x=1","status":200,"bytes":178,"ms":1.2})");
  EXPECT_NE(request_log_line(request({}, "/"), served()).find(R"("request_id":null,)"), std::string::npos);
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

#include "proxy/log/field_name.h"

#include <gtest/gtest.h>

namespace weft::proxy {
namespace {

http::RequestHead request() {
  http::RequestHead head;
  head.method = "POST";
  head.path = "/a";
  head.scheme = "http";
  head.authority = "b:80";
  head.content_length = 12;
  head.headers.add("User-Agent", "agent");
  head.headers.add("X-Own", "own");
  return head;
}

TEST(FieldName, finds_what_the_head_has_under_any_letter_case) {
  const http::RequestHead head = request();
  constexpr std::pair<std::string_view, std::string_view> kValues[] = {
      {":METHOD", "POST"}, {":path", "/a"},          {":Scheme", "http"},     {":authority", "b:80"},
      {"Host", "b:80"},    {"content-length", "12"}, {"USER-AGENT", "agent"}, {"x-own", "own"}};
  for (const auto& [name, value] : kValues) EXPECT_EQ(FieldName(name).value_in(head), value) << name;
}

TEST(FieldName, what_is_not_there_has_no_value) {
  http::RequestHead head = request();
  head.authority.clear();
  for (const std::string_view name : {":status", ":", ":authority", "host", "upgrade", "cookie", "x-other"})
    EXPECT_EQ(FieldName(name).value_in(head), std::nullopt) << name;
  http::ResponseHead response;
  response.headers.add("server", "s");
  EXPECT_EQ(FieldName("Server").value_in(response), "s");
  for (const std::string_view name : {":path", ":status", "content-length", "x-own"})
    EXPECT_EQ(FieldName(name).value_in(response), std::nullopt) << name;
}

TEST(FieldName, some_are_of_no_message_or_of_requests_alone) {
  for (const std::string_view name : {"host", "X-Own", "content-length"}) {
    EXPECT_TRUE(FieldName(name).may_be_in_request()) << name;
    EXPECT_TRUE(FieldName(name).may_be_in_response()) << name;
  }
  for (const std::string_view name : {":METHOD", ":path", ":Scheme", ":authority"}) {
    EXPECT_TRUE(FieldName(name).may_be_in_request()) << name;
    EXPECT_FALSE(FieldName(name).may_be_in_response()) << name;
  }
  for (const std::string_view name : {"", ":", ":status", ":protocol", "a b", "a?b", "a:"}) {
    EXPECT_FALSE(FieldName(name).may_be_in_request()) << name;
    EXPECT_FALSE(FieldName(name).may_be_in_response()) << name;
  }
}

}  // namespace
}  // namespace weft::proxy

#include "common/forwarding.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace bookinfo {

TEST(Forwarding, of_029_is_seven_headers_that_todays_services_forward_too) {
  EXPECT_EQ(headers_029_copies().size(), 7U);
  const auto today = headers_inner_services_copy();
  EXPECT_EQ(today.size(), 20U);
  for (const std::string_view name : headers_029_copies()) {
    EXPECT_NE(std::ranges::find(today, name), today.end()) << name;
  }
}

TEST(Forwarding, of_029_takes_the_user_out_of_all_cookies) {
  EXPECT_EQ(user_cookie({{"Cookie", "a=b; user=jason; c=d"}}), "user=jason");
  EXPECT_EQ(user_cookie({{"Cookie", "a=b"}, {"cookie", "user=jason"}}), "user=jason");
  EXPECT_EQ(user_cookie({{"Cookie", "xuser=jason; users=1"}}), std::nullopt);
  EXPECT_EQ(user_cookie({}), std::nullopt);
}

TEST(Forwarding, joins_a_header_that_came_twice_and_leaves_out_what_did_not_come) {
  Headers to;
  copy_headers(headers_029_copies(), {{"X-Request-Id", "1"}, {"x-request-id", "2"}, {"baggage", "3"}}, to);
  EXPECT_EQ(to.find("x-request-id"), "1,2");
  EXPECT_EQ(std::distance(to.begin(), to.end()), 1);
}

}  // namespace bookinfo

#include "common/message.h"

#include <gtest/gtest.h>

#include "common/client.h"
#include "common/environment.h"

namespace bookinfo {

TEST(Headers, are_found_in_any_letter_case_and_joined_in_order) {
  Headers headers;
  headers.add("Accept", "a");
  headers.add("x", "y");
  headers.add("ACCEPT", "b");
  EXPECT_EQ(headers.find("accept"), "a");
  EXPECT_EQ(headers.joined("accept"), "a,b");
  EXPECT_EQ(headers.joined("missing"), std::nullopt);
}

TEST(SetTarget, splits_the_query_off_and_drops_a_scheme_and_host) {
  Request request;
  set_target(request, "/a/b?c=/d?e");
  EXPECT_EQ(request.path, "/a/b");
  EXPECT_EQ(request.query, "c=/d?e");
  set_target(request, "http://details:9080/details/0?x");
  EXPECT_EQ(request.target, "/details/0?x");
  set_target(request, "http://details:9080");
  EXPECT_EQ(request.path, "/");
  set_target(request, "/login?next=http://elsewhere/");
  EXPECT_EQ(request.path, "/login");
}

TEST(EndpointOf, is_the_service_name_until_the_environment_says_otherwise) {
  EXPECT_EQ(endpoint_of(Environment({}), "reviews").authority(), "reviews:9080");
  const Environment moved(
      {{"SERVICES_DOMAIN", "shop"}, {"REVIEWS_HOSTNAME", "critics"}, {"REVIEWS_SERVICE_PORT", "1"}});
  EXPECT_EQ(endpoint_of(moved, "reviews").authority(), "critics.shop:1");
  EXPECT_EQ(endpoint_of(moved, "ratings").authority(), "ratings.shop:9080");
  EXPECT_EQ((Endpoint{"::1", "9"}.authority()), "[::1]:9");
}

}  // namespace bookinfo

#include "productpage/identity.h"

#include <gtest/gtest.h>

namespace bookinfo::productpage {

namespace {

std::string cookie_of(const std::string& set_cookie) { return set_cookie.substr(0, set_cookie.find(';')); }

}  // namespace

TEST(Identity, of_029_is_a_cookie_in_clear_text) {
  const Identity identity(Sessions("key"), Compat::k029);
  EXPECT_EQ(identity.cookie_for("jason"), "user=jason; Path=/");
  EXPECT_EQ(identity.user_of({{"Cookie", "a=b; user=jason"}}), "jason");
  EXPECT_EQ(identity.user_of({{"Cookie", "session=x"}}), std::nullopt);
  Headers out;
  EXPECT_TRUE(identity.hand_on({{"Cookie", "a=b; user=jason"}}, out));
  EXPECT_EQ(out.find("cookie"), "user=jason");
  EXPECT_EQ(out.find("end-user"), std::nullopt);
}

TEST(Identity, of_029_keeps_a_name_that_would_break_the_cookie) {
  const Identity identity(Sessions("key"), Compat::k029);
  for (const std::string name : {"a;b, c=\"%41\\", "\r\nx: y", "\xC3\xA9", ""}) {
    EXPECT_EQ(identity.user_of({{"Cookie", cookie_of(identity.cookie_for(name))}}), name);
  }
  EXPECT_EQ(identity.cookie_for("\r\n").find('\n'), std::string::npos);
}

TEST(Identity, of_today_travels_as_end_user_and_only_when_the_cookie_is_ours) {
  const Identity identity(Sessions("key"), Compat::kToday);
  Headers out;
  EXPECT_TRUE(identity.hand_on({{"Cookie", cookie_of(identity.cookie_for("jason"))}}, out));
  EXPECT_EQ(out.find("end-user"), "jason");
  Headers none;
  EXPECT_TRUE(identity.hand_on({{"Cookie", "user=jason"}, {"end-user", "jason"}}, none));
  EXPECT_EQ(none.begin(), none.end());
  EXPECT_FALSE(identity.hand_on({{"Cookie", cookie_of(identity.cookie_for("\xE2\x82\xAC"))}}, none));
}

}  // namespace bookinfo::productpage

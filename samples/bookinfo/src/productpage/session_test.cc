#include "productpage/session.h"

#include <gtest/gtest.h>

namespace bookinfo::productpage {

namespace {

std::string cookie_of(const Sessions& sessions, std::string_view user) {
  const std::string line = sessions.cookie_for(user);
  return line.substr(0, line.find(';'));
}

std::optional<std::string> user_of(const Sessions& sessions, const std::string& cookie) {
  return sessions.user_of(Headers{{"Cookie", cookie}});
}

}  // namespace

TEST(Session, remembers_any_name_and_the_empty_one) {
  const Sessions sessions("key");
  for (const std::string user : {"jason", "", "a", "ab", "<b>&;=\"\n", "\xC3\xA9\xFF\x01"}) {
    EXPECT_EQ(user_of(sessions, "a=b; " + cookie_of(sessions, user)), user);
  }
}

TEST(Session, is_lost_when_any_letter_of_the_cookie_changes) {
  const Sessions sessions("key");
  const std::string cookie = cookie_of(sessions, "jason");
  for (std::size_t at = std::string("session=").size(); at < cookie.size(); ++at) {
    std::string tampered = cookie;
    tampered[at] = tampered[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(user_of(sessions, tampered), std::nullopt) << tampered;
  }
  EXPECT_EQ(user_of(sessions, cookie.substr(0, cookie.size() - 1)), std::nullopt);
  EXPECT_EQ(user_of(sessions, "session=amFzb24"), std::nullopt);
  EXPECT_EQ(user_of(sessions, "session="), std::nullopt);
}

TEST(Session, signed_with_another_key_is_nobodys) {
  EXPECT_EQ(user_of(Sessions("one"), cookie_of(Sessions("two"), "jason")), std::nullopt);
}

}  // namespace bookinfo::productpage

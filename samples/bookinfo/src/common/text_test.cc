#include "common/text.h"

#include <gtest/gtest.h>

namespace bookinfo {

TEST(HtmlEscape, makes_every_letter_that_means_something_in_html_harmless) {
  EXPECT_EQ(html_escape("<b>\"a\" & 'b'</b>"), "&lt;b&gt;&#34;a&#34; &amp; &#39;b&#39;&lt;/b&gt;");
  EXPECT_EQ(html_escape("plain"), "plain");
}

TEST(PercentDecode, keeps_a_percent_sign_without_two_hex_digits) {
  EXPECT_EQ(percent_decode("a%20b%2Fc"), "a b/c");
  EXPECT_EQ(percent_decode("100%"), "100%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%zz%+1"), "%zz%+1");
  EXPECT_EQ(percent_decode("%-1"), "%-1");
}

TEST(FormValue, finds_the_first_value_and_tells_empty_from_absent) {
  EXPECT_EQ(form_value("a=1&user+name=j%C3%A9+x&a=2", "user name"), "j\xC3\xA9 x");
  EXPECT_EQ(form_value("a=1&a=2", "a"), "1");
  EXPECT_EQ(form_value("username=", "username"), "");
  EXPECT_EQ(form_value("username", "username"), "");
  EXPECT_EQ(form_value("other=1", "username"), std::nullopt);
  EXPECT_EQ(form_value("", "username"), std::nullopt);
}

TEST(CookieValue, is_found_among_others_and_not_inside_longer_names) {
  EXPECT_EQ(cookie_value("a=b; session=x.y; c=d", "session"), "x.y");
  EXPECT_EQ(cookie_value("session=x", "session"), "x");
  EXPECT_EQ(cookie_value("mysession=x; session2=y", "session"), std::nullopt);
}

TEST(HttpDate, has_the_one_form_http_wants) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(Text, is_utf8_or_made_so_in_a_page) {
  for (const char* good : {"", "jason", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
    EXPECT_EQ(html_escape(good), good);
  }
  for (const char* bad :
       {"\xFF", "a\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "\xF8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
    EXPECT_TRUE(is_utf8(html_escape(bad))) << bad;
  }
  EXPECT_EQ(html_escape("a\xFF<\xC3"), "a\xEF\xBF\xBD&lt;\xEF\xBF\xBD");
}

}  // namespace bookinfo

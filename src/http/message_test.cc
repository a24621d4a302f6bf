#include "http/message.h"

#include <gtest/gtest.h>

namespace weft::http {
namespace {

std::string text_of(const Headers& headers) {
  std::string text;
  for (const Headers::Field field : headers)
    text.append(field.name).append("=").append(field.value).append(";");
  return text;
}

TEST(Headers, keeps_order_and_letter_case_and_finds_without_letter_case) {
  Headers headers;
  headers.add("X-One", "1");
  headers.add("accept", "a");
  headers.add("x-one", "2");
  EXPECT_EQ(text_of(headers), "X-One=1;accept=a;x-one=2;");
  EXPECT_EQ(headers.get("ACCEPT"), "a");
  EXPECT_EQ(headers.get("x-ONE"), "1");
  EXPECT_EQ(headers.get("absent"), std::nullopt);
}

TEST(Headers, sets_in_the_place_of_the_first_and_removes_every_one) {
  Headers headers;
  headers.add("a", "1");
  headers.add("b", "2");
  headers.add("A", "3");
  headers.set("a", "a longer value than before");
  EXPECT_EQ(text_of(headers), "a=a longer value than before;b=2;");
  headers.set("c", "new");
  EXPECT_EQ(headers.remove("B"), 1u);
  EXPECT_EQ(headers.remove("B"), 0u);
  EXPECT_EQ(text_of(headers), "a=a longer value than before;c=new;");
}

TEST(EqualIgnoringCase, holds_for_letters_only_wherever_the_byte_stands) {
  const auto small = [](int byte) { return byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte; };
  for (std::size_t size = 1; size < 20; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (int one = 0; one < 256; ++one)
        for (const int other : {one, one ^ 0x20, one ^ 0x80, 0x4b, 0x6b, 0x5b, 0x40, 0}) {
          std::string a(size, 'x'), b(size, 'X');
          a[at] = static_cast<char>(one);
          b[at] = static_cast<char>(other);
          ASSERT_EQ(equal_ignoring_case(a, b), small(one) == small(other))
              << one << " " << other << " at " << at;
        }
  EXPECT_TRUE(equal_ignoring_case("", ""));
  EXPECT_FALSE(equal_ignoring_case("content-length", "content-lengt"));
}

TEST(Headers, every_known_name_is_found_by_its_name) {
  for (int i = 1; i < static_cast<int>(HeaderId::kCount); ++i) {
    const HeaderId known = static_cast<HeaderId>(i);
    EXPECT_EQ(known_field(name_of(known)), known) << name_of(known);
    Headers headers;
    headers.add(known, "v");
    EXPECT_EQ(headers.get(name_of(known)), "v");
    EXPECT_TRUE(headers.has(known));
  }
}

}  // namespace
}  // namespace weft::http

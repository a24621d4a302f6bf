#include "base/uuid.h"

#include <gtest/gtest.h>

#include <set>

namespace weft {
namespace {

TEST(Uuid, is_random_of_version_4_and_never_the_same_twice) {
  Random random{1};
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    std::string id;
    append_uuid(id, random);
    ASSERT_EQ(id.size(), 36u);
    for (std::size_t at = 0; at < id.size(); ++at) {
      const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
      ASSERT_EQ(id[at] == '-', dash) << id;
      ASSERT_TRUE(dash || std::string_view("0123456789abcdef").contains(id[at])) << id;
    }
    // RFC 9562 §5.4: version 4, variant 10.
    ASSERT_EQ(id[14], '4') << id;
    ASSERT_TRUE(std::string_view("89ab").contains(id[19])) << id;
    EXPECT_TRUE(seen.insert(id).second) << id;
  }
}

TEST(Uuid, hexadecimal_digits_keep_their_leading_zeros) {
  std::string out = "x";
  append_hex(out, 0xabc);
  EXPECT_EQ(out, "x0000000000000abc");
}

}  // namespace
}  // namespace weft

#include "common/compat.h"

#include <gtest/gtest.h>

namespace bookinfo {

TEST(Compat, is_todays_behaviour_unless_the_variable_says_otherwise) {
  EXPECT_EQ(compat_of(Environment({})), Compat::kToday);
  EXPECT_EQ(compat_of(Environment({{"BOOKINFO_COMPAT", ""}})), Compat::kToday);
  EXPECT_EQ(compat_of(Environment({{"BOOKINFO_COMPAT", "0.2.9"}})), Compat::k029);
  EXPECT_TRUE(is_compat_029(Environment({{"BOOKINFO_COMPAT", "0.2.9"}})));
}

TEST(Compat, names_a_version_that_it_does_not_know) {
  const auto read = compat_of(Environment({{"BOOKINFO_COMPAT", "0.3"}}));
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().find("0.3"), std::string::npos);
  EXPECT_FALSE(is_compat_029(Environment({{"BOOKINFO_COMPAT", "0.3"}})));
}

}  // namespace bookinfo

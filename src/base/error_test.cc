#include "base/error.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace weft {
namespace {

Result<int> half(int number) {
  if (number % 2) return fail(Error::config(Code::kInvalid, "odd"));
  return number / 2;
}

Result<int> quarter(int number) {
  WEFT_TRY(int once, half(number));
  WEFT_TRY(int twice, half(once));
  return twice;
}

TEST(Error, travels_through_try_and_keeps_its_kind) {
  EXPECT_EQ(*quarter(8), 2);
  auto failed = quarter(6);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kInvalid);
  EXPECT_EQ(failed.error().blame, Blame::kConfig);
}

TEST(Error, context_goes_in_front) {
  EXPECT_EQ(Error::config(Code::kInvalid, "bad port").with_context("file.yaml:3").text,
            "file.yaml:3: bad port");
}

TEST(Random, the_same_seed_gives_the_same_numbers_and_below_stays_below) {
  Random a(7), b(7);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(a.next(), b.next());
    EXPECT_LT(a.below(10), 10u);
    EXPECT_LT(b.below(10), 10u);
  }
}

}  // namespace
}  // namespace weft

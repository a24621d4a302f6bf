#include "base/release_memory.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weft {
namespace {

TEST(ReleaseMemory, leaves_nothing_where_an_empty_list_leaves_the_capacity) {
  std::string text(5000, 'x');
  release_memory(text);
  EXPECT_EQ(text.capacity(), std::string().capacity());
  std::vector<int> numbers(5000);
  release_memory(numbers);
  EXPECT_EQ(numbers.capacity(), 0u);
}

}  // namespace
}  // namespace weft

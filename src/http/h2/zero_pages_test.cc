#include "http/h2/zero_pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

namespace weft::http::h2 {
namespace {

bool is_resident(void* block) {
  unsigned char resident = 0;
  EXPECT_EQ(mincore(block, ZeroPages::kSize, &resident), 0);
  return resident & 1;
}

TEST(ZeroPages, a_block_that_is_zero_again_takes_no_memory_once_it_rests) {
  ZeroPages pages;
  void* const block = pages.take();
  ASSERT_TRUE(block);
  auto* const bytes = static_cast<char*>(block);
  bytes[100] = 'x';
  EXPECT_TRUE(is_resident(block));
  ZeroPages::rest(block);
  EXPECT_EQ(bytes[100], 'x') << "it is in use";
  bytes[100] = 0;
  ZeroPages::rest(block);
  EXPECT_FALSE(is_resident(block));
  EXPECT_EQ(bytes[100], 0);
  pages.give_back(block);
}

TEST(ZeroPages, a_block_that_comes_back_is_zero_for_the_next) {
  ZeroPages pages;
  void* const block = pages.take();
  ASSERT_TRUE(block);
  std::memset(block, 'x', ZeroPages::kSize);
  pages.give_back(block);
  EXPECT_EQ(pages.take(), block);
  EXPECT_EQ(static_cast<char*>(block)[0], 0);
  pages.give_back(block);
}

TEST(ZeroPages, knows_its_own_blocks) {
  ZeroPages pages;
  void* const block = pages.take();
  ASSERT_TRUE(block);
  EXPECT_TRUE(pages.owns(block));
  EXPECT_FALSE(pages.owns(static_cast<char*>(block) + 16));
  EXPECT_FALSE(pages.owns(nullptr));
  EXPECT_FALSE(ZeroPages{}.owns(block));
  pages.give_back(block);
}

}  // namespace
}  // namespace weft::http::h2

#include "reviews/product_id.h"

#include <gtest/gtest.h>

namespace bookinfo::reviews {

TEST(ProductId, is_a_decimal_number_of_32_bits) {
  EXPECT_EQ(product_id_of_path("/reviews/0"), 0);
  EXPECT_EQ(product_id_of_path("/reviews/007/"), 7);
  EXPECT_EQ(product_id_of_path("/reviews/-1"), -1);
  EXPECT_EQ(product_id_of_path("/reviews/+1"), 1);
  EXPECT_EQ(product_id_of_path("/reviews/2147483647"), 2147483647);
}

TEST(ProductId, is_nothing_for_other_paths) {
  for (const char* path : {"/reviews", "/reviews/", "/reviews/abc", "/reviews/2147483648", "/reviews/0x1",
                           "/reviews/+-1", "/reviews/1/2", "/reviews/1//", "/review/1"}) {
    EXPECT_EQ(product_id_of_path(path), std::nullopt) << path;
  }
}

}  // namespace bookinfo::reviews

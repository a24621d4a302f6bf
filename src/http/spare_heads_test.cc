#include "http/spare_heads.h"

#include <gtest/gtest.h>

namespace weft::http {
namespace {

TEST(SpareHeads, what_was_given_back_is_lent_again_with_an_empty_response) {
  auto heads = SpareHeads::borrow();
  heads->response.status = 200;
  heads->response.headers.add("a", "b");
  heads->piece = "c";
  const SpareHeads* const same = heads.get();
  SpareHeads::give_back(std::move(heads));
  heads = SpareHeads::borrow();
  EXPECT_EQ(heads.get(), same);
  EXPECT_EQ(heads->response.status, 0);
  EXPECT_TRUE(heads->response.headers.empty());
  EXPECT_TRUE(heads->piece.empty());
}

TEST(SpareHeads, large_ones_are_not_kept) {
  while (SpareHeads::borrow()->request.headers.bytes() != 0) continue;
  auto heads = SpareHeads::borrow();
  heads->request.headers.add("a", std::string(8 * 1024, 'b'));
  SpareHeads::give_back(std::move(heads));
  heads = SpareHeads::borrow();
  EXPECT_EQ(heads->request.headers.bytes(), 0u);
  heads->body.reserve(8 * 1024 + 1);
  SpareHeads::give_back(std::move(heads));
  EXPECT_LE(SpareHeads::borrow()->body.capacity(), std::size_t{8 * 1024});
}

TEST(SpareHeads, none_is_given_back_as_nothing) { SpareHeads::give_back(nullptr); }

}  // namespace
}  // namespace weft::http

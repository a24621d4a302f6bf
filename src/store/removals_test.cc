#include "store/removals.h"

#include <gtest/gtest.h>

namespace weft::store {
namespace {

api::Key key(const std::string& name) { return {api::find_kind("v1", "ConfigMap"), "default", name}; }

TEST(Removals, outdate_what_is_older_than_the_list_or_than_the_keys_own_removal) {
  Removals removals;
  EXPECT_FALSE(removals.outdates(key("a"), 0)) << "nothing is known yet";
  removals.listed(5);
  removals.note(key("a"), 8);
  removals.note(key("a"), 7);
  EXPECT_TRUE(removals.outdates(key("a"), 8));
  EXPECT_FALSE(removals.outdates(key("a"), 9));
  EXPECT_TRUE(removals.outdates(key("b"), 5));
  EXPECT_FALSE(removals.outdates(key("b"), 6));
  removals.listed(3);
  EXPECT_FALSE(removals.outdates(key("a"), 4)) << "the server was restored";
}

TEST(Removals, are_forgotten_oldest_first_and_their_number_is_bounded) {
  Removals removals;
  for (std::uint64_t version = 1; version <= 5000; ++version) {
    removals.note(key("again"), 2 * version);
    removals.note(key("n" + std::to_string(version)), 2 * version + 1);
  }
  EXPECT_LE(removals.size(), 1024u);
  EXPECT_TRUE(removals.outdates(key("again"), 10000));
  EXPECT_TRUE(removals.outdates(key("n5000"), 10001));
  EXPECT_FALSE(removals.outdates(key("n1"), 3));
}

}  // namespace
}  // namespace weft::store

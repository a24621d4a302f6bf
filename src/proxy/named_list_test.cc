#include "proxy/named_list.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/random.h"

namespace weft::proxy {
namespace {

struct Item {
  std::string name;
};
using List = NamedList<Item>;
using Ptr = List::Ptr;

Ptr item(std::string name) { return std::make_shared<const Item>(std::move(name)); }

TEST(NamedList, is_in_the_order_of_names_whatever_the_order_of_coming) {
  List list;
  list.put_all({item("c"), item("a")});
  list.put(item("b"));
  std::string names;
  for (const Ptr& each : list) names += each->name;
  EXPECT_EQ(names, "abc");
}

TEST(NamedList, a_copy_shares_memory_until_one_of_both_changes_and_keeps_what_it_had) {
  List first;
  first.put(item("a"));
  List second = first;
  EXPECT_TRUE(second.is_shared_with(first));
  second.put(item("b"));
  EXPECT_FALSE(second.is_shared_with(first));
  EXPECT_EQ(first.size(), 1u);
  EXPECT_EQ(second.at("a"), first.at("a"));
  EXPECT_NE(second, first);
  EXPECT_TRUE(second.erase("b"));
  EXPECT_EQ(second, first) << "the same objects again";
}

TEST(NamedList, what_removes_or_adds_nothing_leaves_the_memory_shared) {
  List list;
  list.put(item("a"));
  List copy = list;
  EXPECT_FALSE(copy.erase("b"));
  copy.put_all({});
  EXPECT_TRUE(copy.is_shared_with(list));
}

TEST(NamedList, is_a_map_by_name_after_any_changes) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Random random(seed);
    const auto any_name = [&] { return std::string(1, static_cast<char>('a' + random.below(12))); };
    List list;
    std::map<std::string, Ptr> expected;
    for (int step = 0; step < 40; ++step) {
      if (random.below(3) == 0) {
        const std::string name = any_name();
        EXPECT_EQ(list.erase(name), expected.erase(name) > 0);
      } else {
        std::map<std::string, Ptr> added;
        for (std::uint64_t i = random.below(5); i > 0; --i) {
          const std::string name = any_name();
          added[name] = item(name);
        }
        List::Items items;
        for (auto each = added.rbegin(); each != added.rend(); ++each) items.push_back(each->second);
        for (const auto& [name, ptr] : added) expected[name] = ptr;
        list.put_all(std::move(items));
      }
      ASSERT_EQ(list.size(), expected.size()) << seed;
      auto at = list.begin();
      for (const auto& [name, ptr] : expected) ASSERT_EQ(*at++, ptr) << seed;
      for (char name = 'a'; name <= 'm'; ++name) {
        const auto found = expected.find(std::string(1, name));
        ASSERT_EQ(list.find(std::string_view(&name, 1)), found == expected.end() ? nullptr : found->second);
      }
    }
  }
}

}  // namespace
}  // namespace weft::proxy

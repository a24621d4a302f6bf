#include "cli/apply_order.h"

#include <gtest/gtest.h>

#include <string>

namespace weft::cli {
namespace {

api::Key key(std::string_view kind, std::string name) {
  const api::KindInfo* const info = api::find_kind_by_name(kind);
  return {info, info->namespaced ? "default" : "", std::move(name)};
}

/// All that may go now, as "0 2 ".
std::string given(ApplyOrder& order) {
  std::string text;
  while (const auto next = order.next()) text += std::to_string(*next) + " ";
  return text;
}

TEST(ApplyOrder, lets_objects_that_do_not_concern_each_other_go_together_in_the_order_of_the_file) {
  ApplyOrder order({key("svc", "a"), key("svc", "b"), key("dr", "a"), key("endpointslice", "a")});
  EXPECT_EQ(given(order), "0 1 2 3 ");
  EXPECT_EQ(given(order), "");
}

TEST(ApplyOrder, lets_namespaces_go_before_everything_wherever_they_stand) {
  ApplyOrder order({key("cm", "a"), key("ns", "x"), key("vs", "a"), key("ns", "y")});
  EXPECT_EQ(given(order), "1 3 ");
  order.done(3);
  EXPECT_EQ(given(order), "");
  order.done(1);
  EXPECT_EQ(given(order), "0 ") << "the rule waits for what stands in front of it";
  order.done(0);
  EXPECT_EQ(given(order), "2 ");
}

TEST(ApplyOrder, lets_rules_and_workloads_wait_for_what_stands_in_front_of_them) {
  ApplyOrder order(
      {key("cm", "a"), key("svc", "a"), key("vs", "a"), key("deploy", "a"), key("dr", "b"), key("vs", "b")});
  EXPECT_EQ(given(order), "0 ");
  order.done(0);
  EXPECT_EQ(given(order), "1 4 ");
  order.done(1);
  EXPECT_EQ(given(order), "2 3 ") << "b's subset is behind them";
  order.done(4);
  EXPECT_EQ(given(order), "5 ");
}

TEST(ApplyOrder, lets_nothing_wait_for_what_stands_behind_it_or_leads_to_it) {
  ApplyOrder order({key("vs", "a"), key("svc", "a"), key("cm", "a")});
  EXPECT_EQ(given(order), "0 1 2 ");
}

TEST(ApplyOrder, keeps_writes_of_one_object_in_their_order) {
  ApplyOrder order({key("cm", "a"), key("cm", "a"), key("cm", "b"), key("cm", "a")});
  EXPECT_EQ(given(order), "0 ");
  order.done(0);
  EXPECT_EQ(given(order), "1 2 ");
  order.done(2);
  EXPECT_EQ(given(order), "");
  order.done(1);
  EXPECT_EQ(given(order), "3 ");
}

TEST(ApplyOrder, gives_out_everything_once_whatever_ends_first) {
  std::vector<api::Key> keys;
  for (int i = 0; i < 400; ++i)
    for (const char* kind : {"vs", "svc", "ns", "cm", "deploy", "gateway"})
      keys.push_back(key(kind, std::to_string(i % 150)));
  ApplyOrder order(keys);
  std::vector<std::size_t> under_way;
  std::vector<bool> seen(keys.size());
  std::size_t over = 0;
  while (over < keys.size()) {
    while (under_way.size() < 16) {
      const auto next = order.next();
      if (!next) break;
      EXPECT_FALSE(seen[*next]);
      seen[*next] = true;
      under_way.push_back(*next);
    }
    ASSERT_FALSE(under_way.empty()) << "everything waits after " << over;
    const std::size_t which = over * 7 % under_way.size();
    order.done(under_way[which]);
    under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(which));
    ++over;
  }
  EXPECT_FALSE(order.next());
}

}  // namespace
}  // namespace weft::cli

#include "store/history.h"

#include <gtest/gtest.h>

namespace weft::store {
namespace {

api::ObjectPtr labelled(const std::string& value) {
  return std::make_shared<const api::Object>(api::Object{
      api::find_kind("v1", "Service"), {{"metadata", {{"name", "s"}, {"labels", {{"app", value}}}}}}});
}

/// Adds a change that is a text of `size` bytes.
void add(History& history, std::uint64_t version, std::size_t size, TimePoint now = {}) {
  const Change change{EventType::kModified, labelled("a"), nullptr, version, size};
  history.add(change, "{}" + std::string(size - 2, ' '), now);
}

TEST(History, is_bounded_by_bytes_however_few_the_changes_are) {
  History history(10);
  for (std::uint64_t version = 11; version < 411; ++version) add(history, version, 250'000);
  EXPECT_LE(history.bytes(), History::kMaxBytes);
  EXPECT_EQ(history.size(), 4u);
  EXPECT_TRUE(history.reaches(406));
  EXPECT_FALSE(history.reaches(405));
}

TEST(History, is_bounded_by_number_however_small_the_changes_are) {
  History history;
  for (std::uint64_t version = 1; version <= 12'000; ++version) add(history, version, 2);
  EXPECT_EQ(history.size(), History::kMaxChanges);
  EXPECT_TRUE(history.reaches(2000));
  EXPECT_FALSE(history.reaches(1999));
}

TEST(History, forgets_what_is_old_and_knows_what_it_forgot) {
  History history(5);
  const TimePoint begin{};
  add(history, 6, 100, begin);
  add(history, 7, 100, begin + 20s);
  EXPECT_TRUE(history.reaches(5));
  EXPECT_EQ(history.next_expiry(), begin + History::kMaxAge);
  EXPECT_EQ(history.expire(begin + History::kMaxAge), 100u);
  EXPECT_FALSE(history.reaches(5));
  EXPECT_TRUE(history.reaches(6));
  std::uint64_t seen = 0;
  history.each_after(6, [&](const Change& each) { seen = each.version; });
  EXPECT_EQ(seen, 7u);
  EXPECT_EQ(history.expire(begin + 60s), 100u);
  EXPECT_EQ(history.next_expiry(), kNever);
  EXPECT_EQ(history.bytes(), 0u);
}

TEST(History, gives_changes_back_with_what_selectors_go_by_before_them) {
  History history;
  const auto with = [&](std::uint64_t version, EventType type, const char* now, const char* before) {
    Change change{type, labelled(now), before ? labelled(before) : nullptr, version, 0};
    history.add(change, R"({"metadata":{"name":"s","labels":{"app":")" + std::string(now) + R"("}}})", {});
  };
  with(1, EventType::kAdded, "a", nullptr);
  with(2, EventType::kModified, "a", "a");
  with(3, EventType::kModified, "b", "a");
  with(4, EventType::kDeleted, "b", "b");
  std::string seen;
  history.each_after(0, [&](const Change& each) {
    seen += std::to_string(each.version) + ":" + std::string(each.object->key().to_string()) + " " +
            (each.before ? std::string(each.before->label("app")) : "-") + ">" +
            std::string(each.object->label("app")) + " ";
  });
  EXPECT_EQ(seen, "1:service s ->a 2:service s a>a 3:service s a>b 4:service s b>b ");
}

}  // namespace
}  // namespace weft::store

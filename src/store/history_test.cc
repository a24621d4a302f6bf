#include "store/history.h"

#include <gtest/gtest.h>

namespace weft::store {
namespace {

Change change(std::uint64_t version, std::size_t size) {
  return {EventType::kModified, std::make_shared<const api::Object>(), nullptr, version, size};
}

TEST(History, is_bounded_by_bytes_however_few_the_changes_are) {
  History history(10);
  const TimePoint now{};
  for (std::uint64_t version = 11; version < 411; ++version) history.add(change(version, 500'000), now);
  EXPECT_LE(history.bytes(), History::kMaxBytes);
  EXPECT_EQ(history.size(), 8u);
  EXPECT_TRUE(history.reaches(402));
  EXPECT_FALSE(history.reaches(401));
}

TEST(History, is_bounded_by_number_however_small_the_changes_are) {
  History history;
  for (std::uint64_t version = 1; version <= 12'000; ++version) history.add(change(version, 1), TimePoint{});
  EXPECT_EQ(history.size(), History::kMaxChanges);
  EXPECT_TRUE(history.reaches(2000));
  EXPECT_FALSE(history.reaches(1999));
}

TEST(History, forgets_what_is_old_and_knows_what_it_forgot) {
  History history(5);
  const TimePoint begin{};
  history.add(change(6, 100), begin);
  history.add(change(7, 100), begin + 20s);
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

}  // namespace
}  // namespace weft::store

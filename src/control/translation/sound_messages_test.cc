#include "control/translation/sound_messages.h"

#include <gtest/gtest.h>

namespace weft::control {
namespace {

TEST(SoundMessages, are_known_by_their_type_and_all_of_their_bytes) {
  SoundMessages sound;
  sound.add(Type::kCluster, "abc");
  EXPECT_TRUE(sound.contains(Type::kCluster, "abc"));
  EXPECT_FALSE(sound.contains(Type::kCluster, "abd"));
  EXPECT_FALSE(sound.contains(Type::kListener, "abc"));
}

TEST(SoundMessages, never_hold_more_than_their_bound) {
  SoundMessages sound;
  for (int i = 0; i < 1000; ++i) {
    const std::string message = std::to_string(i) + std::string(static_cast<std::size_t>(i) * 7, 'x');
    sound.add(i % 2 ? Type::kCluster : Type::kListener, message);
    EXPECT_LE(sound.bytes(), SoundMessages::kMaxBytes);
    EXPECT_TRUE(sound.contains(i % 2 ? Type::kCluster : Type::kListener, message));
  }
  sound.add(Type::kCluster, std::string(SoundMessages::kMaxBytes + 1, 'x'));
  EXPECT_LE(sound.bytes(), SoundMessages::kMaxBytes);
}

TEST(SoundMessages, count_one_that_comes_again_once) {
  SoundMessages sound;
  for (int i = 0; i < 3; ++i) sound.add(Type::kRoute, "abc");
  EXPECT_EQ(sound.bytes(), 3u);
}

}  // namespace
}  // namespace weft::control

#include "xds/packed_bytes.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace weft::xds {
namespace {

PackedBytes packed(const std::string& model, const std::string& bytes) {
  return Packer(std::make_shared<const std::string>(model)).pack(bytes);
}

TEST(PackedBytes, are_what_they_were) {
  const std::string model = "name: load-0001.default.svc.cluster.local, cluster: outbound|8080||load-0001";
  for (const std::string& bytes : std::vector{
           std::string(), std::string("x"), model, model + model, std::string("load"), std::string(1000, 'a'),
           std::string("name: load-0002.default.svc.cluster.local, cluster: outbound|8080||load-0002"),
           std::string("abcdefabcdefabcdefabcdefabcdef"), std::string("nothing in common")}) {
    const PackedBytes made = packed(model, bytes);
    EXPECT_EQ(made.unpacked(), bytes);
    EXPECT_EQ(made.size(), bytes.size());
    EXPECT_TRUE(made == std::string_view(bytes));
    EXPECT_FALSE(made == std::string_view(bytes + "y"));
    if (!bytes.empty()) EXPECT_FALSE(made == std::string_view(bytes).substr(1));
  }
}

TEST(PackedBytes, without_a_model_are_packed_by_themselves) {
  EXPECT_EQ(packed("", "abc").unpacked(), "abc");
  EXPECT_EQ(packed("", std::string(100, 'a') + "b").unpacked(), std::string(100, 'a') + "b");
  EXPECT_EQ(PackedBytes().unpacked(), "");
  EXPECT_TRUE(PackedBytes() == std::string_view());
}

TEST(PackedBytes, that_nobody_packed_are_the_bytes_and_equal_those_that_were) {
  const std::string model = "name: load-0001.default.svc.cluster.local, cluster: outbound|8080||load-0001";
  const PackedBytes plain = PackedBytes(model);
  EXPECT_EQ(plain.unpacked(), model);
  EXPECT_EQ(plain.size(), model.size());
  EXPECT_TRUE(plain == packed(model, model));
  EXPECT_TRUE(packed("cluster: outbound|", model) == packed(model, model));
  EXPECT_FALSE(packed(model, model + "x") == packed(model, model + "y"));
  EXPECT_FALSE(plain == packed(model, model + "y"));
  EXPECT_TRUE(plain == std::string_view(model));
  EXPECT_FALSE(plain == std::string_view(model + "y"));
}

TEST(PackedBytes, of_any_texts_are_what_they_were_and_differ_where_one_byte_does) {
  Random random(1);
  const auto any = [&](std::uint64_t letters) {
    std::string text;
    for (std::uint64_t i = random.below(300); i > 0; --i)
      text += static_cast<char>(letters > 2 ? random.below(letters) : 'a' + random.below(letters));
    return text;
  };
  for (int round = 0; round < 3000; ++round) {
    const std::uint64_t letters = round % 3 == 0 ? 256 : 1 + random.below(2);
    std::string model = any(letters), bytes;
    for (std::uint64_t i = random.below(4); i > 0; --i)
      bytes += random.below(2) && !model.empty() ? model.substr(random.below(model.size())) : any(letters);
    const PackedBytes made = packed(model, bytes);
    ASSERT_EQ(made.unpacked(), bytes);
    ASSERT_TRUE(made == std::string_view(bytes));
    if (bytes.empty()) continue;
    ++bytes[random.below(bytes.size())];
    ASSERT_FALSE(made == std::string_view(bytes));
  }
}

}  // namespace
}  // namespace weft::xds

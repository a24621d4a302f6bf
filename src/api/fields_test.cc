#include "api/fields.h"

#include <gtest/gtest.h>

#include "api/testing/spec.h"

namespace weft::api {
namespace {

using namespace std::chrono_literals;

enum class Color : std::uint8_t { kRed, kBlue };
constexpr std::array<Word<Color>, 2> kColors = {{{"RED", Color::kRed}, {"BLUE", Color::kBlue}}};

TEST(Fields, what_is_absent_wrong_or_out_of_its_bounds_reads_as_absent) {
  const Json map =
      testing::spec(R"({text: hello, empty: '', nothing: null, number: 7, whole: 7.0, part: 7.5, big: 70000,
    huge: 1e300, below: -1, on: true, time: 1m30s, bad: soon, color: BLUE, other: GREEN, list: [a, 1, b], labels: {a: x, b: 2}})");
  Fields fields(map);
  EXPECT_EQ(fields.text("text"), "hello");
  EXPECT_EQ(fields.optional_text("empty"), "");
  EXPECT_EQ(fields.optional_text("nothing"), std::nullopt);
  EXPECT_EQ(fields.optional_text("absent"), std::nullopt);
  EXPECT_EQ(fields.port("number"), 7);
  EXPECT_EQ(Fields(map).text("number"), "");
  EXPECT_EQ(fields.count("whole"), 7u);
  EXPECT_EQ(fields.count("part"), std::nullopt);
  EXPECT_EQ(fields.number("part"), 7.5);
  EXPECT_EQ(fields.port("big"), 0);
  EXPECT_EQ(fields.count("huge"), std::nullopt);
  EXPECT_EQ(fields.count("below"), std::nullopt);
  EXPECT_EQ(fields.flag("on"), true);
  EXPECT_EQ(fields.flag("text"), std::nullopt);
  EXPECT_EQ(fields.duration("time"), 90s);
  EXPECT_EQ(fields.duration("bad"), std::nullopt);
  EXPECT_EQ(fields.word("color", kColors), Color::kBlue);
  EXPECT_EQ(fields.word("other", kColors), std::nullopt);
  EXPECT_EQ(fields.texts("list"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(fields.labels("labels"), (Labels{{"a", "x"}}));
  EXPECT_EQ(fields.map("list"), nullptr);
}

TEST(Fields, anything_but_a_map_has_no_members) {
  for (const char* text : {"5", "[a]", "text", "null", "true"}) {
    const Json value = testing::spec(std::string("v: ") + text)["v"];
    Fields fields(value);
    EXPECT_EQ(fields.text("a"), "") << text;
    EXPECT_FALSE(fields.understood()) << text;
  }
}

TEST(Fields, a_map_is_understood_when_all_that_it_says_was_read) {
  const struct {
    const char* map;
    bool understood;
  } rows[] = {{"{}", true},
              {"{port: 80, labels: {a: b}}", true},
              {"{port: 80, later: null, off: false, none: [], nothing: {}}", true},
              {"{port: 80, more: 1}", false},
              {"{port: 80, more: ''}", false},
              {"{port: http}", false},
              {"{port: 0}", false},
              {"{labels: {a: 1}}", false},
              {"{labels: [a]}", false}};
  for (const auto& row : rows) {
    const Json map = testing::spec(row.map);
    Fields fields(map);
    fields.port("port");
    fields.labels("labels");
    EXPECT_EQ(fields.understood(), row.understood) << row.map;
  }
}

}  // namespace
}  // namespace weft::api

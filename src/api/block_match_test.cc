#include "api/block_match.h"

#include <gtest/gtest.h>

#include "api/yaml.h"
#include "api/yaml_reader.h"

namespace weft::api {
namespace {

Json json(const char* text) { return Json::parse(text); }

TEST(BlockMatch, says_yes_to_the_forms_that_manifests_are_written_in) {
  const std::pair<const char*, const char*> rows[] = {
      {"a: 1\n", R"({"a": 1})"},
      {"# first\na: x   # why\n\nb: \"0\"\n", R"({"b": "0", "a": "x"})"},
      {"a:\n- b: 1\n  c:\n    d: 'it''s'\n- - 1\n  - two\n",
       R"({"a": [{"b": 1, "c": {"d": "it's"}}, [1, "two"]]})"},
      {"a:\n  - x\nb:\nc: {}\nd: []\n", R"({"a": ["x"], "b": null, "c": {}, "d": []})"},
      {"a: \"q\\\"\\\\\" # \"\nb: http://x/#y", R"({"a": "q\"\\", "b": "http://x/#y"})"},
      {"- true\n- -1\n- -x\n", R"([true, -1, "-x"])"},
  };
  for (const auto& [text, wanted] : rows) EXPECT_TRUE(block_text_says(text, json(wanted))) << text;
}

TEST(BlockMatch, never_says_yes_where_the_reader_reads_another_value) {
  const char* wanted[] = {R"({"a": 1})",
                          R"({"a": "x"})",
                          R"({"a": "x y"})",
                          R"({"a": {"b": null}})",
                          R"({"a": null, "b": 1})",
                          R"(["x"])",
                          R"({"a": ["x"]})",
                          R"({"a": [{"b": 1, "c": 2}]})"};
  const char* texts[] = {"a: 1\na: 1\n",
                         "a: '1'\n",
                         "a: x\n  y\n",
                         "a: x\ny\n",
                         "a: x #y\n",
                         "a: x# y\n",
                         "a: \"x\" y\n",
                         "a: x: y\n",
                         "a: |\n  x\n",
                         "a: &x x\n",
                         "a: *x\n",
                         "a: !t x\n",
                         "a: [x]\n",
                         "a: {b}\n",
                         "a:\n  b:\n",
                         "a:\nb: 1\n",
                         "a:\n b: 1\n",
                         " a: x\n",
                         "a: x\n---\nb: 1\n",
                         "--- x\n",
                         "a: x\n...\n",
                         "- x\n- x\n",
                         "- x\n y\n",
                         "a:\n- x\n y\n",
                         "a:\n- b: 1\n  c: 2\n",
                         "a:\n- b: 1\n c: 2\n",
                         "a:\n- b: 1\n   c: 2\n",
                         "a:\n- b: 1\nc: 2\n",
                         "a: \"x\n",
                         "a: 'x'y\n",
                         "a: \"\\x78\"\n",
                         "<<: x\n",
                         "? a\n: x\n",
                         "a :x\n",
                         "a:x\n",
                         "a: x\tb\n",
                         "a:\tx\n",
                         "%YAML 1.2\n",
                         "a: x\r\n",
                         "",
                         "#\n",
                         "a:\n  x\n"};
  for (const char* text : texts) {
    const YamlStream stream = read_yaml(text);
    const bool one = !stream.fault && stream.documents.size() == 1;
    for (const char* each : wanted)
      if (block_text_says(text, json(each)))
        EXPECT_TRUE(one && stream.documents.front().value == json(each)) << text << " is not " << each;
  }
}

TEST(BlockMatch, says_no_of_what_is_missing_and_what_is_too_much) {
  EXPECT_FALSE(block_text_says("a: 1\n", json(R"({"a": 1, "b": 2})")));
  EXPECT_FALSE(block_text_says("a: 1\nb: 2\n", json(R"({"a": 1})")));
  EXPECT_FALSE(block_text_says("- 1\n", json("[1, 2]")));
  EXPECT_FALSE(block_text_says("- 1\n- 2\n", json("[1]")));
  EXPECT_FALSE(block_text_says("a: 1\na: 1\n", json(R"({"a": 1, "b": 1})")));
}

TEST(BlockMatch, knows_what_our_own_writer_makes_again) {
  const Json value = json(R"({"env": [{"name": "A", "value": "{\"b\":\"c\"}"}, {"name": "B", "value": ""}],
                              "yes": "yes", "rate": 0.5, "list": [[1, 2], [], {"z": null}], "s": "- x: y # z"})");
  Json plain = value;
  plain.erase("yes");
  EXPECT_TRUE(block_text_says(to_yaml(plain), plain)) << to_yaml(plain);
}

}  // namespace
}  // namespace weft::api

#include "api/yaml_edit.h"

#include <gtest/gtest.h>

#include "api/yaml_reader.h"

namespace weft::api {
namespace {

/// `text` after a JSON patch, "REWRITTEN" in front of what was written again.
std::string edited(std::string_view text, std::string_view patch) {
  const YamlStream stream = read_yaml(text);
  EXPECT_EQ(stream.documents.size(), 1u) << text;
  if (stream.documents.size() != 1) return {};
  const Json& before = stream.documents[0].value;
  const Json after = before.patch(Json::parse(patch));
  const Rewritten made = rewrite(text, before, after);
  return (made.rewritten ? "REWRITTEN\n" : "") + made.text;
}

TEST(YamlEdit, leaves_what_does_not_change_byte_for_byte) {
  const std::string text = "# head\na:   1   # one\nb: 'x'\n\nc: [ 1,2 ]\n";
  EXPECT_EQ(edited(text, "[]"), text);
  EXPECT_EQ(edited(text, R"([{"op":"replace","path":"/b","value":"y"}])"),
            "# head\na:   1   # one\nb: \"y\"\n\nc: [ 1,2 ]\n");
}

TEST(YamlEdit, adds_a_member_after_the_last_one_at_its_column) {
  EXPECT_EQ(edited("m:\n    a: 1 # one\n# about n\nn: 2\n", R"([{"op":"add","path":"/m/b","value":"x"}])"),
            "m:\n    a: 1 # one\n    b: x\n# about n\nn: 2\n");
  EXPECT_EQ(edited("m:\n  a: 1", R"([{"op":"add","path":"/m/b","value":{"c":[1]}}])"),
            "m:\n  a: 1\n  b:\n    c:\n    - 1");
}

TEST(YamlEdit, adds_to_the_inner_map_before_the_outer_one_when_both_end_there) {
  EXPECT_EQ(edited("m:\n  a:\n    x: 1\n",
                   R"([{"op":"add","path":"/m/a/z","value":2},{"op":"add","path":"/m/b","value":3}])"),
            "m:\n  a:\n    x: 1\n    z: 2\n  b: 3\n");
}

TEST(YamlEdit, adds_behind_a_block_text_without_changing_it) {
  EXPECT_EQ(edited("m:\n  a: |\n    one\n    two\nn: 1\n", R"([{"op":"add","path":"/m/b","value":2}])"),
            "m:\n  a: |\n    one\n    two\n  b: 2\nn: 1\n");
  EXPECT_EQ(edited("m:\n  a: |\n    one\n", R"([{"op":"add","path":"/m/b","value":2}])"),
            "m:\n  a: |\n    one\n  b: 2\n");
}

TEST(YamlEdit, gives_a_value_to_a_key_that_has_none) {
  EXPECT_EQ(edited("m:\n  a: # none yet\n  b: 1\n", R"([{"op":"replace","path":"/m/a","value":{"x":"y"}}])"),
            "m:\n  a: # none yet\n    x: \"y\"\n  b: 1\n");
  EXPECT_EQ(edited("a:\n", R"([{"op":"replace","path":"/a","value":7}])"), "a: 7\n");
  EXPECT_EQ(edited("a: {}\nb: 1\n", R"([{"op":"add","path":"/a/x","value":1}])"), "a:\n  x: 1\nb: 1\n");
  EXPECT_EQ(edited("a: []\n", R"([{"op":"add","path":"/a/-","value":1}])"), "a:\n- 1\n");
}

TEST(YamlEdit, puts_items_at_both_ends_of_a_list_at_its_column) {
  EXPECT_EQ(
      edited("l:\n  - name: a # first\n    x: 1\n  # before b\n  - name: b\nn: 1\n",
             R"([{"op":"add","path":"/l/0","value":{"name":"z"}},)"
             R"({"op":"add","path":"/l/-","value":{"name":"c","y":[1,2]}}])"),
      "l:\n  - name: z\n  - name: a # first\n    x: 1\n  # before b\n  - name: b\n  - name: c\n    \"y\":\n"
      "    - 1\n    - 2\nn: 1\n");
  EXPECT_EQ(edited("l:\n- name: a\nn: 1\n", R"([{"op":"add","path":"/l/-","value":{"name":"b"}}])"),
            "l:\n- name: a\n- name: b\nn: 1\n");
}

TEST(YamlEdit, changes_inside_the_item_of_the_same_name) {
  EXPECT_EQ(edited("l:\n- name: a\n  p: {x: 1}\n- name: b\n  p:\n    x: 1\n    y: 2\n",
                   R"([{"op":"replace","path":"/l/0/p/x","value":5},)"
                   R"({"op":"remove","path":"/l/1/p/x"},{"op":"add","path":"/l/1/q","value":true}])"),
            "l:\n- name: a\n  p: {x: 5}\n- name: b\n  p:\n    y: 2\n  q: true\n");
}

TEST(YamlEdit, removes_members_and_items_with_their_lines) {
  EXPECT_EQ(edited("a: 1\nb:\n  x: 1\n  y: 2\nc: 3\n", R"([{"op":"remove","path":"/b"}])"), "a: 1\nc: 3\n");
  EXPECT_EQ(edited("l:\n- name: a\n  x: 1\n- name: b\n", R"([{"op":"remove","path":"/l/0"}])"),
            "l:\n- name: b\n");
  EXPECT_EQ(edited("l:\n- x: 1\n  name: a\n", R"([{"op":"remove","path":"/l/0/x"}])"), "l:\n- name: a\n");
  EXPECT_EQ(edited("b:\n  x: 1\nc: 3\n", R"([{"op":"remove","path":"/b/x"}])"), "b:\n  {}\nc: 3\n");
}

TEST(YamlEdit, puts_something_else_in_the_place_of_what_goes) {
  EXPECT_EQ(edited("l:\n- b:\n    x: 1\n    y: 2 # two\n  c: 1\n",
                   R"([{"op":"replace","path":"/l/0/b","value":{"z":1}}])"),
            "l:\n- b:\n    z: 1 # two\n  c: 1\n");
  EXPECT_EQ(edited("m:\n  a: 1\n  b: 2\nn: 1\n",
                   R"([{"op":"remove","path":"/m/b"},{"op":"add","path":"/m/c","value":3}])"),
            "m:\n  a: 1\n  c: 3\nn: 1\n");
  EXPECT_EQ(edited("l:\n- name: a\n- name: b\n",
                   R"([{"op":"remove","path":"/l/0"},{"op":"add","path":"/l/0","value":{"name":"c"}},)"
                   R"({"op":"add","path":"/l/0","value":{"name":"d"}}])"),
            "l:\n- name: d\n- name: c\n- name: b\n");
}

TEST(YamlEdit, edits_json_in_place) {
  EXPECT_EQ(edited(R"({"a": {"b": 1}, "l": [1, 2]})",
                   R"([{"op":"add","path":"/a/c","value":"x"},{"op":"add","path":"/l/0","value":0},)"
                   R"({"op":"add","path":"/l/-","value":3}])"),
            R"({"a": {"b": 1, "c":"x"}, "l": [0, 1, 2, 3]})");
  EXPECT_EQ(edited("{\n  \"a\": {},\n  \"b\": 1\n}\n", R"([{"op":"add","path":"/a/c","value":1}])"),
            "{\n  \"a\": {\"c\":1},\n  \"b\": 1\n}\n");
}

TEST(YamlEdit, keeps_line_ends_of_the_other_kind) {
  EXPECT_EQ(edited("m:\r\n  a: 1\r\nn: 2\r\n", R"([{"op":"add","path":"/m/b","value":2}])"),
            "m:\r\n  a: 1\r\n  b: 2\r\nn: 2\r\n");
}

TEST(YamlEdit, changes_the_place_of_an_alias_and_not_what_it_names) {
  EXPECT_EQ(edited("a: &x {k: 1}\nb: *x\n", R"([{"op":"add","path":"/b/l","value":2}])"),
            "a: &x {k: 1}\nb: {\"k\":1,\"l\":2}\n");
}

TEST(YamlEdit, writes_out_the_aliases_of_an_anchor_whose_place_changes) {
  EXPECT_EQ(edited("a: &x {k: 1}\nb: *x # b\nc: [*x]\n", R"([{"op":"add","path":"/a/l","value":2}])"),
            "a: &x {k: 1, \"l\":2}\nb: {\"k\":1} # b\nc: [{\"k\":1}]\n");
}

TEST(YamlEdit, stays_in_brackets_on_lines_of_their_own) {
  EXPECT_EQ(edited("{\n  a: { x: 1, },   # one\n  l: [ ]\n  # end\n}\n",
                   R"([{"op":"add","path":"/a/y","value":2},{"op":"add","path":"/l/-","value":{"z":3}}])"),
            "{\n  a: { x: 1, \"y\":2, },   # one\n  l: [{\"z\":3}]\n  # end\n}\n");
}

TEST(YamlEdit, inserts_behind_an_item_whose_end_goes) {
  EXPECT_EQ(edited("l:\n- name: a   # first\n  x:\n    y: 1\nn: 1\n",
                   R"([{"op":"remove","path":"/l/0/x"},{"op":"add","path":"/l/-","value":{"name":"b"}}])"),
            "l:\n- name: a   # first\n- name: b\nn: 1\n");
}

TEST(YamlEdit, moves_the_items_that_may_move) {
  const std::string text = "l:\n- name: ours\n- name: theirs   # stays\n";
  const Json before = read_yaml(text).documents[0].value;
  const Json after = Json::parse(R"({"l": [{"name": "theirs", "x": 1}, {"name": "ours"}]})");
  constexpr std::string_view kMovable[] = {"ours"};
  EXPECT_EQ(rewrite(text, before, after, kMovable).text,
            "l:\n- name: theirs   # stays\n  x: 1\n- name: ours\n");
}

TEST(YamlEdit, edits_beyond_the_first_64_kib) {
  std::string text = "t: '" + std::string(100'000, 'x') + "'\n";
  EXPECT_EQ(edited(text + "m: {a: 'it''s'}   # m\n", R"([{"op":"add","path":"/m/b","value":1}])"),
            text + "m: {a: 'it''s', \"b\":1}   # m\n");
}

}  // namespace
}  // namespace weft::api

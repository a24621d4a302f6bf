#include "yaml/document.h"

#include <gtest/gtest.h>

namespace weft::yaml {
namespace {

std::string written(const Node* node) {
  if (!node) return "nothing";
  if (node->is_scalar()) return node->is_null() ? "null" : std::string(node->text);
  std::string out = node->is_mapping() ? "{" : "[";
  for (const Node* each = node->first; each; each = each->next)
    out += written(each) + (each->next ? " " : "");
  return out + (node->is_mapping() ? "}" : "]");
}

std::string parsed(std::string_view text) {
  const auto document = Document::parse(text, "f.yaml");
  return document ? written(document->root()) : document.error().text;
}

TEST(Document, is_a_tree_of_what_is_written) {
  EXPECT_EQ(parsed("a: {b: [1, 2], c: }\nd: x\n"), "{a {b [1 2] c null} d x}");
  EXPECT_EQ(parsed(R"({"a": [true, null], "b": "null"})"), "{a [true null] b null}");
  EXPECT_EQ(parsed(""), "nothing");
  EXPECT_EQ(parsed("# only a comment\n"), "nothing");
}

TEST(Document, puts_what_an_alias_names_in_its_place) {
  EXPECT_EQ(parsed("a: &x {b: 1}\nc: *x\nd: [*x, *x]\n"), "{a {b 1} c {b 1} d [{b 1} {b 1}]}");
}

TEST(Document, names_line_and_reason_of_what_is_wrong) {
  EXPECT_EQ(parsed("a: 1\nb: 2\na: 3\n"), "f.yaml:3: duplicate key \"a\"; write it once");
  EXPECT_EQ(parsed("a: *missing\n"), "f.yaml:1: alias *missing has no anchor &missing before it");
  EXPECT_EQ(parsed("a: 1\n---\nb: 2\n"), "f.yaml:2: a second document begins here; one is read");
  EXPECT_EQ(parsed("[a]: 1\n"), "f.yaml:1: a key must be a plain text, not a list or a map");
  EXPECT_EQ(parsed("a: &x [*x]\n"), "f.yaml:1: alias *x has no anchor &x before it");
  EXPECT_EQ(parsed(std::string(200, '[')), "f.yaml:1: nested more than 100 levels deep");
  EXPECT_EQ(parsed("a: \"\x01\"\n"), "f.yaml:1: not text: a byte that is not UTF-8, or a control byte");
}

TEST(Document, finds_a_duplicate_in_a_large_map) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "key" + std::to_string(i) + ": 1\n";
  EXPECT_TRUE(Document::parse(text, "f.yaml"));
  EXPECT_EQ(parsed(text + "key3: 1\n"), "f.yaml:1001: duplicate key \"key3\"; write it once");
  EXPECT_EQ(parsed(text + "key999: 1\n"), "f.yaml:1001: duplicate key \"key999\"; write it once");
}

TEST(Document, knows_the_lines_of_paths) {
  const auto document =
      Document::parse("first:\n  routeConfig:\n  - name: a\n  - name: b\n    x: 1\n", "f.yaml");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->line_of_path("first.route_config"), 2);
  EXPECT_EQ(document->line_of_path("first.route_config[1].x"), 5);
  EXPECT_EQ(document->line_of_path("first.route_config[1].missing"), 4);
  EXPECT_EQ(document->locate(Error::config(Code::kInvalid, "first.route_config[1].x: is odd")).text,
            "f.yaml:5: first.route_config[1].x: is odd");
}

}  // namespace
}  // namespace weft::yaml

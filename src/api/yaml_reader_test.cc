#include "api/yaml_reader.h"

#include <gtest/gtest.h>

#include "api/yaml.h"

namespace weft::api {
namespace {

Json one(std::string_view text) {
  YamlStream stream = read_yaml(text);
  if (stream.fault) return "fault: " + std::to_string(stream.fault->line) + ": " + stream.fault->text;
  return stream.documents.size() == 1 ? stream.documents[0].value : Json(nullptr);
}

std::string fault_of(std::string_view text) {
  YamlStream stream = read_yaml(text);
  return stream.fault ? std::to_string(stream.fault->line) + ": " + stream.fault->text : "none";
}

TEST(YamlReader, plain_scalars_have_the_types_that_kubectl_reads) {
  struct Case {
    const char* text;
    const char* json;
  };
  const Case cases[] = {
      {"yes", "true"},
      {"Yes", "true"},
      {"on", "true"},
      {"ON", "true"},
      {"y", "true"},
      {"no", "false"},
      {"Off", "false"},
      {"N", "false"},
      {"yES", "\"yES\""},
      {"yes!", "\"yes!\""},
      {"true", "true"},
      {"False", "false"},
      {"~", "null"},
      {"null", "null"},
      {"1", "1"},
      {"-7", "-7"},
      {"+7", "7"},
      {"0644", "420"},
      {"0x1F", "31"},
      {"0o17", "15"},
      {"1.5", "1.5"},
      {"1e3", "1000.0"},
      {"1.2.3", "\"1.2.3\""},
      {"1s", "\"1s\""},
      {"25%", "\"25%\""},
      {"089", "89"},
      {"-", "\"-\""},
      {".", "\".\""},
      {"1_000", "1000"},
      {"-1_000.5", "-1000.5"},
      {"_1", "\"_1\""},
      {"0b101", "5"},
      {"0B2", "\"0B2\""},
      {"0x", "\"0x\""},
      {"2024-01-01", "\"2024-01-01\""},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551615", "18446744073709551615"},
  };
  for (const Case& each : cases) EXPECT_EQ(plain_scalar(each.text).dump(), each.json) << each.text;
}

TEST(YamlReader, what_is_not_a_text_without_quotes_is_written_with_them) {
  for (const char* text : {"yes", "n", "Off", "1_000", "0b1"})
    EXPECT_EQ(one(to_yaml(Json({{"a", text}}))), Json({{"a", text}})) << text;
}

TEST(YamlReader, a_byte_order_mark_may_begin_any_document) {
  const std::string mark = "\xef\xbb\xbf";
  for (const std::string& text : {mark + "a: 1\n---\n" + mark + "a: 2\n", "a: 1\n" + mark + "---\na: 2\n",
                                  "a: 1\n...\n" + mark + "a: 2\n", "a: 1\r\n---\r\n" + mark + "a: 2\r\n"}) {
    const YamlStream stream = read_yaml(text);
    ASSERT_FALSE(stream.fault) << stream.fault->text << "\n" << text;
    ASSERT_EQ(stream.documents.size(), 2u) << text;
    EXPECT_EQ(stream.documents[1].value, Json({{"a", 2}}));
    EXPECT_EQ(stream.documents[1].lines.line, 3);
  }
  EXPECT_EQ(one("a: \"" + mark + "\"\n").dump(), "{\"a\":\"" + mark + "\"}") << "inside a value it is text";
  EXPECT_EQ(one(mark), Json(nullptr));
}

TEST(YamlReader, json_objects_may_stand_one_after_the_other) {
  const YamlStream stream = read_yaml("{\"a\": \"}{'#\"}\n{\"b\": [{}, \"\\\"\"]}{\"c\":\n1}\n");
  ASSERT_FALSE(stream.fault) << stream.fault->text;
  ASSERT_EQ(stream.documents.size(), 3u);
  EXPECT_EQ(stream.documents[0].value.dump(), R"({"a":"}{'#"})");
  EXPECT_EQ(stream.documents[1].lines.line, 2);
  EXPECT_EQ(stream.documents[2].value.dump(), R"({"c":1})");
  EXPECT_EQ(fault_of("{\"a\": 1}\n{\"a\": 1, \"a\": 2}\n"), "2: duplicate key \"a\"; write it once");
}

TEST(YamlReader, a_flow_map_that_is_not_json_is_one_document) {
  EXPECT_EQ(one("{a: '} {', b: 1}").dump(), R"({"a":"} {","b":1})");
  EXPECT_EQ(one("{a: 1, # } {\n b: 2}").dump(), R"({"a":1,"b":2})");
  EXPECT_NE(fault_of("{a: 1} b"), "none");
}

TEST(YamlReader, quoted_scalars_and_blocks_are_texts) {
  EXPECT_EQ(one("a: \"1\"\nb: 'true'\nc: |\n  x\n  y\nd: >-\n  x\n  y\ne: !!str 5\n").dump(),
            R"({"a":"1","b":"true","c":"x\ny\n","d":"x y","e":"5"})");
}

TEST(YamlReader, a_folded_block_is_read_to_its_end_and_not_beyond) {
  Json text =
      one("    >+\n    env:name: L\n       \n     name: L\n         value: v\n        ports:\n        - "
          "port: 90");
  ASSERT_TRUE(text.is_string()) << text;
  EXPECT_TRUE(text.get<std::string>().starts_with(
      "env:name: L\n   \n name: L\n     value: v\n    ports:\n    - port: 90"));
  EXPECT_LE(text.get<std::string>().size(), 66u);
  EXPECT_EQ(one(">-\n a\n\n  b\n \n  c\n d\n\n").dump().find_first_not_of("\"\\nabcd "), std::string::npos);
}

TEST(YamlReader, single_quotes_hold_any_number_of_quotes_and_lines) {
  EXPECT_EQ(one("- 'a'''''\n- ''''\n- ''\n- ' x '\n- '''a'' ''''b'\n").dump(),
            R"(["a''","'",""," x ","'a' ''b"])");
  EXPECT_EQ(one("- ' a \n  b\r\n\n\n  c '\n- 'a\n\n  '\n- '\n\n  a'\n").dump(),
            R"([" a b\n\nc ","a\n","\na"])");
  EXPECT_EQ(one("\xef\xbb\xbf'\xc3\xbc''''': 'x'''\n").dump(), "{\"\xc3\xbc''\":\"x'\"}");
}

TEST(YamlReader, each_value_knows_its_line) {
  YamlStream stream = read_yaml("# one\na:\n  b:\n  - c\n  -\n    d: 1\n---\ne: {f: 1,\n    g: 2}\n");
  ASSERT_FALSE(stream.fault);
  ASSERT_EQ(stream.documents.size(), 2u);
  const Lines& b = stream.documents[0].lines.children.at(0).children.at(0);
  EXPECT_EQ(b.line, 3);
  EXPECT_EQ(b.children.at(0).line, 4);
  EXPECT_EQ(b.children.at(1).children.at(0).line, 6);
  EXPECT_EQ(stream.documents[1].lines.children.at(0).children.at(1).line, 9);
}

TEST(YamlReader, aliases_are_copied) {
  EXPECT_EQ(one("a: &x {k: [1]}\nb: *x\nc: &y t\n*y : 2\n").dump(),
            R"({"a":{"k":[1]},"b":{"k":[1]},"c":"t","t":2})");
}

TEST(YamlReader, aliases_that_grow_without_bound_are_rejected) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) text += before + (k < 9 ? ", " : "]\n");
  }
  EXPECT_TRUE(fault_of(text).ends_with("more than 64 MB of values, with aliases expanded; split the file"))
      << fault_of(text);
  std::string large = "a: &a \"" + std::string(1 << 20, 'x') + "\"\nb: [";
  for (int i = 0; i < 1000; ++i) large += "*a, ";
  EXPECT_TRUE(
      fault_of(large + "1]\n").ends_with("more than 64 MB of values, with aliases expanded; split the file"));
}

TEST(YamlReader, what_is_rejected_says_where_and_why) {
  EXPECT_EQ(fault_of("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n"), "5: duplicate key \"c\"; write it once");
  EXPECT_EQ(fault_of("{\"a\": 1,\n \"a\": 2}"), "2: duplicate key \"a\"; write it once");
  EXPECT_EQ(fault_of("a: &x {b: 1}\nc:\n  <<: *x\n"),
            "3: merge keys (<<) are not supported; write the fields out");
  EXPECT_EQ(fault_of("a: *missing\n"), "1: alias *missing has no anchor &missing before it");
  EXPECT_EQ(fault_of("a: 1\nb: !!python/object x\n").substr(0, 7), "2: tag ");
  EXPECT_EQ(fault_of("a: 1\nb: \xff\n"), "2: not text: a byte that is not UTF-8, or a control byte");
  EXPECT_EQ(fault_of(std::string("a: 1\nb: \0c\n", 11)),
            "2: not text: a byte that is not UTF-8, or a control byte");
  EXPECT_EQ(fault_of("a: .inf\n"), "1: .inf is not a number JSON has");
  EXPECT_EQ(fault_of("[a]: 1\n"), "1: a key must be a plain text, not a list or a map");
  EXPECT_EQ(fault_of("a:\n\t- b\n").substr(0, 2), "2:");
  EXPECT_EQ(fault_of(std::string(10'000'001, '#')), "0: 10000001 bytes; at most 10 MB are read at once");
}

TEST(YamlReader, an_anchor_that_holds_itself_is_rejected) { EXPECT_NE(fault_of("a: &x\n  b: *x\n"), "none"); }

TEST(YamlReader, nesting_ends_at_100_levels) {
  auto nested = [](int levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  EXPECT_EQ(fault_of(nested(100)), "none");
  EXPECT_EQ(fault_of(nested(101)), "1: nested more than 100 levels deep");
  EXPECT_NE(fault_of(nested(200'000)), "none");
  std::string block;
  for (int i = 0; i < 2000; ++i) block += std::string(i, ' ') + "a:\n";
  EXPECT_EQ(fault_of(block), "101: nested more than 100 levels deep");
}

TEST(YamlReader, a_text_is_as_long_as_a_config_map_may_be_and_look_ahead_ends_soon_after) {
  EXPECT_EQ(fault_of("a: \"" + std::string(1 << 20, 'x') + "\"\n"), "none");
  std::string list = "[";
  for (int i = 0; i < 700'000; ++i) list += "b,";
  EXPECT_EQ(fault_of("a: 1\n---\n" + list + "]\n"),
            "2: more than 1 MB in one line or text; break it into lines");
  EXPECT_NE(fault_of(std::string(2'000'000, '[')), "none");
}

TEST(YamlReader, a_map_of_many_keys_is_read_and_of_too_many_rejected) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "k" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(fault_of(text), "none");
  EXPECT_EQ(fault_of(text + "k77: 2\n"), "10001: more than 10,000 keys in one map");
  EXPECT_EQ(fault_of(text.substr(0, text.find("k9000")) + "k77: 2\n"),
            "9001: duplicate key \"k77\"; write it once");
}

TEST(YamlReader, every_beginning_of_a_file_is_read_or_rejected) {
  const std::string text =
      "# c\napiVersion: v1\nkind: \"Service\"\nmetadata: {name: a, labels: {x: 'y'}}\nspec: &s\n  ports:\n  "
      "- port: 80\n"
      "    name: >-\n      http\n  - [1, 2.5, ~]\n---\n{\"a\": \"\\u00e9\\ud83d\\ude00\"}\n...\n--- |\n  "
      "text\n";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    YamlStream stream = read_yaml(std::string_view(text).substr(0, size));
    EXPECT_LE(stream.documents.size(), 3u);
  }
}

TEST(YamlReader, every_byte_may_be_any_other) {
  const std::string text =
      "a: [1, 'x', {b: c}]\nd: \"q\\n\"\ne: &f\n  - |\n    g\n  - *f\n? h\n: i\n--- !!str j\n";
  constexpr std::string_view kBytes = "\n\t :-?,[]{}#&*!|>'\"%@`\\0x\xc3\xa9~<.";
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (char byte : kBytes) {
      std::string changed = text;
      changed[i] = byte;
      for (const Document& document : read_yaml(changed).documents) {
        Json again = one(to_yaml(document.value));
        EXPECT_EQ(nlohmann::json(again), nlohmann::json(document.value)) << changed;
      }
    }
  }
}

}  // namespace
}  // namespace weft::api

#include "yaml/event_reader.h"

#include <gtest/gtest.h>

namespace weft::yaml {
namespace {

std::string told(std::string_view text) {
  constexpr std::string_view kNames[] = {"document", "{", "}", "[", "]", "scalar", "alias", "end"};
  EventReader reader(text);
  std::string out;
  for (;;) {
    const auto event = reader.next();
    if (!event) return out + "fault at " + std::to_string(event.error().line);
    if (event->kind == Event::Kind::kEnd) return out;
    out += std::string(kNames[static_cast<int>(event->kind)]) + "@" + std::to_string(event->line);
    if (event->kind == Event::Kind::kScalar) out += event->plain ? "=" : "\"";
    out += std::string(event->text) + " ";
  }
}

TEST(EventReader, tells_what_stands_on_which_line) {
  EXPECT_EQ(told("a: 1\nb:\n- x\n- 'y'\n"),
            "document@1 {@1 scalar@1=a scalar@1=1 scalar@2=b [@3 scalar@3=x scalar@4\"y ]@4 }@4 ");
}

TEST(EventReader, tells_anchors_by_name) {
  EXPECT_EQ(told("- &one 1\n- *one\n"), "document@1 [@1 scalar@1=1 alias@2one ]@2 ");
}

TEST(EventReader, reads_quotes_and_blocks_as_the_specification_has_them) {
  struct Row {
    std::string_view text, value;
  };
  const Row rows[] = {{"''''''\n", "''"},      {"'it''s'\n", "it's"},       {"'a\n\n b'\n", "a\nb"},
                      {"\"a\\tb\"\n", "a\tb"}, {"|\n  a\n  b\n", "a\nb\n"}, {">-\n  a\n  b\n", "a b"}};
  for (const Row& row : rows) {
    EventReader reader(row.text);
    ASSERT_EQ(reader.next()->kind, Event::Kind::kDocumentStart);
    EXPECT_EQ(reader.next()->text, row.value) << row.text;
  }
}

/// The first scalar whose bytes are not those it was read from; empty when all are.
std::string misplaced(const std::string& text) {
  EventReader reader(text);
  for (;;) {
    const auto event = reader.next();
    if (!event) return event.error().text;
    if (event->kind == Event::Kind::kEnd) return {};
    if (event->kind != Event::Kind::kScalar) continue;
    const std::string stands = text.substr(event->begin, event->end - event->begin);
    const std::string value(event->text);
    if (stands != value && stands != "'" + value + "'" && stands != '"' + value + '"')
      return value + " at " + stands;
  }
}

TEST(EventReader, knows_the_places_in_a_text_of_any_length) {
  for (const char* line_end : {"\n", "\r\n", "\r"}) {
    std::string block = std::string("# \xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9f") + line_end, flow = "{";
    for (int i = 0; i < 30'000; ++i) {
      const std::string number = std::to_string(i);
      block += "k" + number + ":\t'\xc3\xa4 " + number + "' # \xe2\x82\xac" + line_end;
      flow += "\"k" + number + "\": v" + number + "," + (i % 7 == 0 ? line_end : " ");
    }
    EXPECT_EQ(misplaced(block), "");
    EXPECT_EQ(misplaced(flow + "}"), "");
  }
}

TEST(EventReader, ends_a_text_of_several_lines_where_its_bytes_end) {
  EventReader reader("\"a\\ \n\n \n#\"\n");
  ASSERT_EQ(reader.next()->kind, Event::Kind::kDocumentStart);
  const auto event = reader.next();
  EXPECT_TRUE(event->text.ends_with('#')) << std::string(event->text);
}

TEST(EventReader, says_where_an_unclosed_list_begins) {
  EXPECT_TRUE(told("a: 1\nb: [1,\n 2\nc: 3\n").ends_with("fault at 2")) << told("a: 1\nb: [1,\n 2\nc: 3\n");
}

TEST(EventReader, gives_up_on_a_text_that_makes_it_look_too_far_ahead) {
  EXPECT_TRUE(told("[" + std::string(3'000'000, 'a') + "]").ends_with("fault at 1"));
}

TEST(EventReader, a_text_with_a_byte_that_is_not_utf_8_is_a_fault_and_nothing_of_it_is_read) {
  for (const char* text : {"a: 1\n%YA\x8b\n", "a: \xff", "\x01"})
    EXPECT_TRUE(told(text).starts_with("fault at ")) << text;
  EXPECT_EQ(told("? a\n%YA\x8bML 1.\n"), "fault at 2");
}

TEST(FirstBadByte, names_the_line_of_what_is_not_text) {
  EXPECT_EQ(first_bad_byte("a: ä\nb: €\n"), 0);
  EXPECT_EQ(first_bad_byte("a\nb\x01\n"), 2);
  EXPECT_EQ(first_bad_byte("a\n\n\xc3(\n"), 3);
  EXPECT_EQ(first_bad_byte("\xed\xa0\x80"), 1);  // half of a surrogate pair
}

}  // namespace
}  // namespace weft::yaml

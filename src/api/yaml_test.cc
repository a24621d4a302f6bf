#include "api/yaml.h"

#include <gtest/gtest.h>

#include "api/yaml_reader.h"

namespace weft::api {
namespace {

TEST(Yaml, an_object_looks_as_kubectl_prints_it) {
  Json object = Json::parse(
      R"({"kind":"Service","apiVersion":"v1","spec":{"ports":[{"port":80,"name":"http"},{"port":81}],
    "selector":{},"list":[[1,2],[]],"none":null},"metadata":{"name":"a","labels":{"version":"1","on":"yes"},
    "creationTimestamp":"2024-05-01T10:00:00Z","note":"two\nlines\n"}})");
  EXPECT_EQ(to_yaml(object), R"(apiVersion: v1
kind: Service
metadata:
  creationTimestamp: "2024-05-01T10:00:00Z"
  labels:
    "on": "yes"
    version: "1"
  name: a
  note: |
    two
    lines
spec:
  list:
  - - 1
    - 2
  - []
  none: null
  ports:
  - name: http
    port: 80
  - port: 81
  selector: {}
)");
}

TEST(Yaml, texts_are_quoted_exactly_when_plain_they_would_be_something_else) {
  struct Case {
    const char* text;
    const char* yaml;
  };
  const Case cases[] = {
      {"plain text", "plain text"},
      {"", "\"\""},
      {"true", "\"true\""},
      {"No", "\"No\""},
      {"1.5", "\"1.5\""},
      {"1.5s", "1.5s"},
      {"25%", "25%"},
      {"0x10", "\"0x10\""},
      {"12:30:45", "\"12:30:45\""},
      {"1_000", "\"1_000\""},
      {"10.96.0.1", "\"10.96.0.1\""},
      {"null", "\"null\""},
      {"a: b", "'a: b'"},
      {"a:b", "a:b"},
      {"a #b", "'a #b'"},
      {"*", "'*'"},
      {"it's", "it's"},
      {"'tis", "'''tis'"},
      {"- a", "'- a'"},
      {"-a", "-a"},
      {" a", "' a'"},
      {"a\tb", "\"a\\tb\""},
      {"/.*", "/.*"},
      {"[a]", "'[a]'"},
      {"--- a", "'--- a'"},
      {"\x01", "\"\\x01\""},
      {"a:", "'a:'"},
      {"{}", "'{}'"},
  };
  for (const Case& each : cases)
    EXPECT_EQ(to_yaml(Json(each.text)), std::string(each.yaml) + "\n") << each.text;
}

TEST(Yaml, what_is_written_reads_as_the_same) {
  const char* texts[] = {"a\n",
                         "a",
                         "a\nb",
                         "a\n\n",
                         "\na",
                         " a\nb",
                         "a\n b\n",
                         "\n",
                         "a\r\nb",
                         "a\n\nb\n",
                         "#a\nb\n",
                         "\xc2\x85",
                         "\xe2\x80\xa8x",
                         "\xef\xbb\xbfz",
                         "\xc2\x80",
                         "a\nb \n",
                         "- a\n- b",
                         "a\n\t\n",
                         "%x",
                         "@y",
                         "`",
                         "|",
                         ">-",
                         "? a",
                         ": a",
                         "!x",
                         "&x",
                         "---",
                         "...",
                         "\"q\"",
                         "\\",
                         "\x7f",
                         "\xf0\x9f\x98\x80",
                         "a\n...\nb\n",
                         "a\n---\nb\n",
                         "2024-01-01",
                         "+",
                         ".5",
                         "0b1",
                         "1e5"};
  for (const char* text : texts) {
    Json value = Json::object();
    value["key"] = text;
    value["list"] = Json::array({text, Json::array({text})});
    value[text] = 1;
    YamlStream stream = read_yaml(to_yaml(value));
    ASSERT_FALSE(stream.fault) << stream.fault->text << "\n" << to_yaml(value);
    ASSERT_EQ(stream.documents.size(), 1u);
    EXPECT_EQ(nlohmann::json(stream.documents[0].value), nlohmann::json(value)) << to_yaml(value);
  }
}

}  // namespace
}  // namespace weft::api

#include "cli/json_path_template.h"

#include <gtest/gtest.h>

namespace weft::cli {
namespace {

const api::Json& pods() {
  static const api::Json kPods = api::Json::parse(R"({
    "kind": "List",
    "items": [
      {"metadata": {"name": "a", "labels": {"app.kubernetes.io/name": "x"}}, "status": {"podIP": "10.0.0.1", "n": 3}},
      {"metadata": {"name": "b"}, "status": {"podIP": "10.0.0.2", "n": 10, "ready": true}}
    ]})");
  return kPods;
}

TEST(JsonPathTemplate, ExpandsWhatKubectlsUsersType) {
  const std::pair<const char*, const char*> cases[] = {
      {"{.items[*].metadata.name}", "a b"},
      {"{.items[0].status.podIP}", "10.0.0.1"},
      {"{.items[-1:].metadata.name}", "b"},
      {"{.items[-1].metadata.name}", "b"},
      {"{.items[0:1].metadata.name}", "a"},
      {"{.items[5].metadata.name}", ""},
      {"{$.kind}", "List"},
      {"kind={.kind}!", "kind=List!"},
      {".kind", "List"},
      {"{range .items[*]}{.metadata.name}{\"\\t\"}{.status.podIP}{\"\\n\"}{end}",
       "a\t10.0.0.1\nb\t10.0.0.2\n"},
      {"{range .items[*]}{$.kind}-{@.metadata.name} {end}", "List-a List-b "},
      {"{.items[?(@.metadata.name==\"b\")].status.podIP}", "10.0.0.2"},
      {"{.items[?(@.status.n>3)].metadata.name}", "b"},
      {"{.items[?(@.status.n<=3)].metadata.name}", "a"},
      {"{.items[?(@.status.ready==true)].metadata.name}", "b"},
      {"{.items[?(@.status.ready)].metadata.name}", "b"},
      {"{.items[0].metadata.labels.app\\.kubernetes\\.io/name}", "x"},
      {"{.items[0].metadata['name']}", "a"},
      {"{..podIP}", "10.0.0.1 10.0.0.2"},
      {"{.items[0].metadata.labels}", R"({"app.kubernetes.io/name":"x"})"},
      {"{.nothing.here}", ""},
      {"{.items[*]['metadata'].name}", "a b"},
  };
  for (const auto& [text, expected] : cases) {
    const auto path = JsonPathTemplate::parse(text);
    ASSERT_TRUE(path) << text << ": " << path.error().text;
    EXPECT_EQ(path->expand(pods()), expected) << text;
  }
}

TEST(JsonPathTemplate, RejectsWhatItCannotReadWithThePlace) {
  for (const char* text : {"{.a", "{.a[}", "{.a[x]}", "{end}", "{range .a}x", "{.a[?(@.b~1)]}", "{\"a}",
                           "{.a[?(@.b==c)]}", "{.a[1}", "{.a]}", "{.a['b}"}) {
    const auto path = JsonPathTemplate::parse(text);
    ASSERT_FALSE(path) << text;
    EXPECT_NE(path.error().text.find("character"), std::string::npos) << path.error().text;
  }
}

TEST(JsonPathTemplate, RejectsRangesWithoutBound) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "{range .a}";
  EXPECT_FALSE(JsonPathTemplate::parse(text));
}

}  // namespace
}  // namespace weft::cli

#include "api/merge.h"

#include <gtest/gtest.h>

namespace weft::api {
namespace {

/// Compares values, not the order of keys.
void expect_merge(const char* last, const char* live, const char* desired, const char* wanted) {
  Json merged = three_way_merge(Json::parse(last), Json::parse(live), Json::parse(desired));
  EXPECT_EQ(nlohmann::json::parse(merged.dump()), nlohmann::json::parse(wanted)) << merged.dump();
}

TEST(Merge, what_is_desired_wins_what_was_dropped_goes_and_the_rest_stays) {
  expect_merge(R"({"a":1,"b":1})", R"({"a":1,"b":1,"c":1})", R"({"a":2})", R"({"a":2,"c":1})");
  expect_merge(R"(null)", R"({"a":1,"b":1})", R"({"a":2})", R"({"a":2,"b":1})");
  expect_merge(R"({"m":{"a":"1","b":"1"}})", R"({"m":{"a":"1","b":"1","s":"server"}})", R"({"m":{"b":"2"}})",
               R"({"m":{"b":"2","s":"server"}})");
  expect_merge(R"({})", R"({"a":1,"b":2})", R"({"a":null})", R"({"b":2})");
  expect_merge(R"({})", R"({"a":{"b":1}})", R"({"a":3})", R"({"a":3})");
  expect_merge(R"({})", R"({"a":3})", R"({"a":{"b":1,"c":null}})", R"({"a":{"b":1}})");
}

TEST(Merge, a_number_of_replicas_that_no_file_gives_stays_as_it_was_scaled) {
  expect_merge(R"({"spec":{"template":{}}})", R"({"spec":{"replicas":3,"template":{}}})",
               R"({"spec":{"template":{}}})", R"({"spec":{"replicas":3,"template":{}}})");
}

TEST(Merge, containers_env_and_volumes_merge_by_name) {
  expect_merge(R"({"containers":[{"name":"a","image":"1"},{"name":"b","image":"1"}]})",
               R"({"containers":[{"name":"a","image":"1","imagePullPolicy":"Always"},{"name":"b","image":"1"},
                   {"name":"sidecar","image":"s"}]})",
               R"({"containers":[{"name":"c","image":"3"},{"name":"a","image":"2"}]})",
               R"({"containers":[{"name":"c","image":"3"},{"name":"a","image":"2","imagePullPolicy":"Always"},
                   {"name":"sidecar","image":"s"}]})");
  expect_merge(R"({"env":[{"name":"A","value":"1"}]})",
               R"({"env":[{"name":"A","value":"1"},{"name":"B","value":"1"}]})",
               R"({"env":[{"name":"A","valueFrom":{"x":1}}]})",
               R"({"env":[{"name":"A","valueFrom":{"x":1}},{"name":"B","value":"1"}]})");
}

TEST(Merge, ports_merge_by_their_number) {
  expect_merge(
      R"({"ports":[{"port":80}]})", R"({"ports":[{"port":80,"protocol":"TCP","targetPort":80}]})",
      R"({"ports":[{"port":80,"name":"http"},{"port":81,"name":"b"}]})",
      R"({"ports":[{"port":80,"name":"http","protocol":"TCP","targetPort":80},{"port":81,"name":"b"}]})");
  expect_merge(R"({"ports":[{"containerPort":80}]})", R"({"ports":[{"containerPort":80,"protocol":"TCP"}]})",
               R"({"ports":[{"containerPort":90}]})", R"({"ports":[{"containerPort":90}]})");
}

TEST(Merge, other_lists_are_replaced) {
  expect_merge(R"({"http":[{"name":"a","x":1}]})", R"({"http":[{"name":"a","x":1,"y":1}]})",
               R"({"http":[{"name":"a"}]})", R"({"http":[{"name":"a"}]})");
  expect_merge(R"({})", R"({"args":["a"]})", R"({"args":["b","c"]})", R"({"args":["b","c"]})");
  expect_merge(R"({})", R"({"containers":[{"name":"a"},{"name":"a"}]})", R"({"containers":[{"name":"b"}]})",
               R"({"containers":[{"name":"b"}]})");
}

TEST(Merge, a_strategy_or_a_volume_of_another_form_takes_nothing_over) {
  expect_merge(R"({})", R"({"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":"25%"}}})",
               R"({"strategy":{"type":"Recreate"}})", R"({"strategy":{"type":"Recreate"}})");
}

TEST(Merge, merging_what_is_there_changes_nothing) {
  const char* object =
      R"({"metadata":{"labels":{"a":"b"}},"spec":{"ports":[{"port":1},{"port":2}],"list":[1,2]}})";
  expect_merge(object, object, object, object);
}

}  // namespace
}  // namespace weft::api

#include "api/place.h"

#include <gtest/gtest.h>

namespace weft::api {
namespace {

TEST(Place, is_written_as_a_field_and_as_a_pointer) {
  const Place route = Place().at(List::kHttp, 0);
  const struct {
    Place place;
    const char *field, *pointer;
  } rows[] = {{Place(), "spec", "/spec"},
              {route, "spec.http[0]", "/spec/http/0"},
              {route.at(List::kMatch, 12), "spec.http[0].match[12]", "/spec/http/0/match/12"},
              {Place().at(List::kRules, 1).at(List::kPaths, 2), "spec.rules[1].http.paths[2]",
               "/spec/rules/1/http/paths/2"},
              {Place().at(List::kTcp, 1U << 30U), "spec.tcp[16777215]", "/spec/tcp/16777215"}};
  for (const auto& row : rows) {
    EXPECT_EQ(row.place.to_string(), row.field);
    EXPECT_EQ(row.place.pointer(), row.pointer);
  }
}

TEST(Place, covers_what_is_within_it_and_not_what_only_begins_like_it) {
  const Place match = Place().at(List::kHttp, 0).at(List::kMatch, 1);
  for (const char* inside : {"spec.http[0].match[1]", "spec.http[0].match[1].uri.exact"})
    EXPECT_TRUE(match.covers(inside)) << inside;
  for (const char* outside : {"", "spec.http[0].match", "spec.http[0].match[10]", "spec.http[0].match[1]x",
                              "spec.http[1].match[1]", "spec.tcp[0].match[1]"})
    EXPECT_FALSE(match.covers(outside)) << outside;
  EXPECT_TRUE(Place().covers("spec.hosts[0]"));
}

}  // namespace
}  // namespace weft::api

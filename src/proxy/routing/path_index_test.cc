#include "proxy/routing/path_index.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include "base/random.h"

namespace weft::proxy {
namespace {

using Kind = PathMatch::Kind;

PathMatch path(Kind kind, std::string text, bool ignore_case = false) {
  PathMatch match{.kind = kind, .ignore_case = ignore_case, .text = std::move(text), .regex = nullptr};
  if (kind == Kind::kRegex) match.regex = std::make_shared<const re2::RE2>(match.text);
  return match;
}

TEST(PathMatch, each_kind_takes_what_it_names_and_no_more) {
  struct Row {
    PathMatch match;
    const char* path;
    bool matches;
  };
  for (const Row& row : {
           Row{path(Kind::kExact, "/a"), "/a", true},
           Row{path(Kind::kExact, "/a"), "/A", false},
           Row{path(Kind::kExact, "/a", true), "/A", true},
           Row{path(Kind::kExact, "/a"), "/a/", false},
           Row{path(Kind::kPrefix, "/a"), "/ab", true},
           Row{path(Kind::kPrefix, "/a"), "/b", false},
           Row{path(Kind::kPrefix, "/a", true), "/AB", true},
           Row{path(Kind::kSeparatedPrefix, "/a"), "/a", true},
           Row{path(Kind::kSeparatedPrefix, "/a"), "/a/b", true},
           Row{path(Kind::kSeparatedPrefix, "/a"), "/ab", false},
           Row{path(Kind::kSeparatedPrefix, "/a", true), "/A/b", true},
           Row{path(Kind::kRegex, "/[ab]+"), "/abba", true},
           Row{path(Kind::kRegex, "/[ab]+"), "/abbac", false},
       })
    EXPECT_EQ(matches(row.match, row.path), row.matches) << row.match.text << " " << row.path;
}

std::string random_path(Random& random) {
  std::string text = "/";
  for (std::uint64_t i = random.below(5); i > 0; --i) text += "aA/b"[random.below(4)];
  return text;
}

TEST(PathIndex, leaves_out_no_route_that_matches_and_keeps_the_order_of_the_list) {
  Random random(11);
  for (int round = 0; round < 300; ++round) {
    std::vector<Route> routes(random.below(40));
    for (Route& route : routes) {
      const Kind kind =
          std::array{Kind::kExact, Kind::kPrefix, Kind::kSeparatedPrefix, Kind::kRegex}[random.below(4)];
      route.match.path = path(kind, random_path(random), random.below(5) == 0);
    }
    PathIndex index;
    index.build(routes);
    for (int i = 0; i < 20; ++i) {
      const std::string wanted = random_path(random);
      std::vector<std::uint32_t> by_list, by_index;
      for (std::uint32_t at = 0; at < routes.size(); ++at)
        if (matches(routes[at].match.path, wanted)) by_list.push_back(at);
      index.each_candidate(wanted, [&](std::uint32_t at) {
        if (matches(routes[at].match.path, wanted)) by_index.push_back(at);
        return false;
      });
      ASSERT_EQ(by_index, by_list) << wanted;
    }
  }
}

TEST(PathIndex, stops_at_the_first_that_is_taken) {
  std::vector<Route> routes(20);
  PathIndex index;
  index.build(routes);
  int visited = 0;
  EXPECT_TRUE(index.each_candidate("/x", [&](std::uint32_t at) { return ++visited, at == 3; }));
  EXPECT_EQ(visited, 4);
  EXPECT_FALSE(PathIndex().each_candidate("/x", [](std::uint32_t) { return true; }));
}

TEST(PathIndex, with_prefixes_of_very_many_lengths_every_route_is_tried) {
  std::vector<Route> routes(60);
  for (std::size_t i = 0; i < routes.size(); ++i) routes[i].match.path.text = "/" + std::string(i, 'a');
  PathIndex index;
  index.build(routes);
  std::vector<std::uint32_t> found;
  index.each_candidate("/aa", [&](std::uint32_t at) {
    if (matches(routes[at].match.path, "/aa")) found.push_back(at);
    return false;
  });
  EXPECT_EQ(found, (std::vector<std::uint32_t>{0, 1, 2}));
}

}  // namespace
}  // namespace weft::proxy

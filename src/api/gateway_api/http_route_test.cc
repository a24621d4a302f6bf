#include "api/gateway_api/http_route.h"

#include <gtest/gtest.h>

#include "api/testing/spec.h"

namespace weft::api::gateway_api {
namespace {

using namespace std::chrono_literals;

RouteRule rule(std::string_view yaml) {
  const HttpRoute made = read_http_route(testing::spec("rules: [{" + std::string(yaml) + "}]"));
  EXPECT_EQ(made.rules.size(), 1u) << yaml;
  return made.rules.at(0);
}

TEST(HttpRouteReading, a_parent_is_repeated_as_it_was_written) {
  for (const char* written :
       {"{name: a}", "{name: a, namespace: b, sectionName: c, port: 80, group: '', kind: K}",
        "{name: a, group: g}"}) {
    const Json from = testing::spec(written);
    EXPECT_EQ(nlohmann::json(to_json(read_parent(from))), nlohmann::json(from)) << written;
  }
  const Place where = Place().at(List::kParentRefs, 1);
  EXPECT_EQ(read_parent(testing::spec("{name: a}"), where), read_parent(testing::spec("{name: a}"), where));
  EXPECT_NE(read_parent(testing::spec("{name: a, group: ''}")), read_parent(testing::spec("{name: a}")));
}

TEST(HttpRouteReading, a_match_asks_for_a_path_a_method_headers_and_parameters) {
  const RouteRule made =
      rule(R"(matches: [{path: {type: Exact, value: /a}, method: GET, headers: [{name: x, value: '1'}],
    queryParams: [{type: RegularExpression, name: p, value: q.*}]}, {}, {path: {value: /b/}}])");
  ASSERT_EQ(made.matches.size(), 3u);
  const RouteMatch& match = made.matches[0];
  EXPECT_TRUE(match.understood);
  EXPECT_EQ(match.path.type, PathMatch::Type::kExact);
  EXPECT_EQ(match.path.value, "/a");
  EXPECT_EQ(match.method, "GET");
  EXPECT_EQ(match.headers.at(0).name + "=" + match.headers.at(0).value, "x=1");
  EXPECT_FALSE(match.headers.at(0).is_pattern);
  EXPECT_TRUE(match.query_params.at(0).is_pattern);
  EXPECT_EQ(made.matches[1].path.value, "/") << "an empty match is every path";
  EXPECT_EQ(made.matches[1].path.prefix(), "");
  EXPECT_EQ(made.matches[2].path.prefix(), "/b");
  EXPECT_EQ(made.matches[2].where.to_string(), "spec.rules[0].matches[2]");
}

TEST(HttpRouteReading, a_match_that_is_not_understood_is_there_and_says_so) {
  const struct {
    const char* matches;
    bool understood;
  } rows[] = {{"[{}]", true},
              {"[{path: {type: PathPrefix, value: /}, headers: []}]", true},
              {"[{path: {type: Sometimes, value: /}}]", false},
              {"[{path: /a}]", false},
              {"[{cookies: [a]}]", false},
              {"[{headers: [{name: x, value: z, type: Fuzzy}]}]", false},
              {"[{headers: [x]}]", false},
              {"[{queryParams: {a: b}}]", false},
              {"[{method: 5}]", false},
              {"[5]", false},
              {"{}", false}};
  for (const auto& row : rows) {
    const RouteRule made = rule("matches: " + std::string(row.matches));
    ASSERT_EQ(made.matches.size(), 1u) << row.matches;
    EXPECT_EQ(made.matches[0].understood, row.understood) << row.matches;
  }
  EXPECT_TRUE(rule("matches: []").matches.empty());
}

TEST(HttpRouteReading, filters_say_what_their_type_says) {
  const RouteRule made = rule(R"(filters: [
    {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: '1'}, {name: b, value: '2'}, {name: a, value: '3'}], remove: [c]}},
    {type: ResponseHeaderModifier, responseHeaderModifier: {add: [{name: d, value: '4'}]}},
    {type: URLRewrite, urlRewrite: {hostname: h, path: {type: ReplacePrefixMatch, replacePrefixMatch: /p}}},
    {type: RequestMirror, requestMirror: {}}, 5])");
  EXPECT_EQ(made.headers.request.set, (TextPairs{{"a", "3"}, {"b", "2"}}));
  EXPECT_EQ(made.headers.request.remove, std::vector<std::string>{"c"});
  EXPECT_EQ(made.headers.response.add, (TextPairs{{"d", "4"}}));
  ASSERT_TRUE(made.rewrite);
  EXPECT_EQ(made.rewrite->host, "h");
  EXPECT_EQ(std::get<ReplacePrefixMatch>(made.rewrite->path).with, "/p");
  EXPECT_FALSE(made.redirect);
}

TEST(HttpRouteReading, a_redirect_changes_what_it_names) {
  const RouteRule made =
      rule(R"(filters: [{type: RequestRedirect, requestRedirect: {scheme: https, hostname: h, port: 8443,
    statusCode: 301, path: {type: ReplaceFullPath, replaceFullPath: /x}}}])");
  ASSERT_TRUE(made.redirect);
  EXPECT_EQ(made.redirect->scheme + made.redirect->host, "httpsh");
  EXPECT_EQ(made.redirect->port, 8443);
  EXPECT_EQ(made.redirect->code, 301);
  EXPECT_EQ(std::get<ReplaceFullPath>(made.redirect->path).with, "/x");
  const RouteRule bare = rule("filters: [{type: RequestRedirect}]");
  ASSERT_TRUE(bare.redirect) << "it redirects, if to nothing else";
  EXPECT_EQ(bare.redirect->code, 302);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(bare.redirect->path));
}

TEST(HttpRouteReading, backends_have_a_weight_of_one_unless_they_say_another) {
  const RouteRule made = rule(
      R"(backendRefs: [{name: a, port: 80}, {name: b, namespace: other, weight: 0}, {name: c, weight: -1},
    {name: d, weight: 7, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x, value: z}]}}]}],
    timeouts: {request: 10s, backendRequest: 500ms})");
  ASSERT_EQ(made.backends.size(), 4u);
  EXPECT_EQ(made.backends[0].port, 80);
  EXPECT_EQ(made.backends[0].weight, 1u);
  EXPECT_EQ(made.backends[1].ns, "other");
  EXPECT_EQ(made.backends[1].weight, 0u);
  EXPECT_EQ(made.backends[2].weight, 1u);
  EXPECT_EQ(made.backends[3].weight, 7u);
  EXPECT_EQ(made.backends[3].headers.request.set, (TextPairs{{"x", "z"}}));
  EXPECT_EQ(made.timeout, 10s);
  EXPECT_EQ(made.backend_timeout, 500ms);
  EXPECT_EQ(rule("timeouts: {request: soon}").timeout, std::nullopt);
}

TEST(HttpRouteReading, each_part_knows_the_line_that_it_stands_on) {
  const Parsed parsed = testing::file("gateway.networking.k8s.io/v1", "HTTPRoute", R"(  hostnames: [a.example]
  parentRefs: [{name: g}]
  rules:
  - backendRefs: [{name: a, port: 80}]
  - matches:
    - path: {value: /a}
    - path: {value: /b}
    backendRefs: [{name: b, port: 80}]
)");
  const HttpRoute made = read_http_route(parsed.objects[0].spec());
  EXPECT_EQ(made.hosts, std::vector<std::string>{"a.example"});
  EXPECT_EQ(parsed.origins[0].place(made.rules.at(1).where.to_string()), "f.yaml:9");
  EXPECT_EQ(parsed.origins[0].place(made.rules.at(1).matches.at(1).where.to_string()), "f.yaml:11");
  EXPECT_EQ(parsed.origins[0].place(made.parents.at(0).where.to_string()), "f.yaml:6");
}

}  // namespace
}  // namespace weft::api::gateway_api

#include "proxy/routing/path_normal.h"

#include <gtest/gtest.h>

#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

using namespace testing;

TEST(PathNormal, is_what_rfc_3986_makes_of_it) {
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"/", "/"},
      {"/a/b", "/a/b"},
      {"/x/../admin", "/admin"},
      {"/./admin", "/admin"},
      {"/a/b/..", "/a/"},
      {"/a/b/.", "/a/b/"},
      {"/..", "/"},
      {"/../../a", "/a"},
      {"/a/b/c/./../../g", "/a/g"},
      {"/%61dmin", "/admin"},
      {"/%2e%2E/a", "/a"},
      {"/x/%2e./a", "/a"},
      {"/x/.%2e", "/"},
      {"/x/..%2fadmin", "/x/..%2fadmin"},
      {"/%252e%252e/a", "/%252e%252e/a"},
      {"/\\admin", "//admin"},
      {"/x\\..\\admin", "/admin"},
      {"//a", "//a"},
      {"/a//../b", "/a/b"},
      {"/a/...", "/a/..."},
      {"/.a/..b/c..", "/.a/..b/c.."},
      {"/..;/admin", "/admin"},
      {"/x/y/..;a=b;c/z", "/x/z"},
      {"/x/.;/y/%2e%2E;a", "/x/"},
      {"/x/..%3b/y", "/x/..%3b/y"},
      {"/a;b/...;/.b;", "/a;b/...;/.b;"},
      {"/a%zz%4", "/a%25zz%254"},
      {"/%%32%65/a", "/%252e/a"},
      {"/%7Euser/%c3%a4", "/~user/%c3%a4"},
      {"/a\"b<c>{d}|e^f`g", "/a%22b%3Cc%3E%7Bd%7D%7Ce%5Ef%60g"},
      {"/[a]:@!$&'()*+,;=", "/[a]:@!$&'()*+,;="},
  };
  for (const auto& [path, want] : kCases) {
    EXPECT_EQ(normal_path(path), want) << path;
    EXPECT_EQ(normal_path(want), want) << "again, of " << path;
  }
}

TEST(PathNormal, settles_escaped_slashes_then_the_path_then_slashes_and_leaves_the_query) {
  HttpConfig config;
  std::string path = "/a/%2e%2E//b%2fc?x=/../%61//";
  EXPECT_EQ(settle_path(path, config), PathVerdict::kForward);
  EXPECT_EQ(path, "/a/%2e%2E//b%2fc?x=/../%61//");
  config.normalize_path = true;
  EXPECT_EQ(settle_path(path, config), PathVerdict::kForward);
  EXPECT_EQ(path, "//b%2fc?x=/../%61//");
  config.merge_slashes = true;
  EXPECT_EQ(settle_path(path, config), PathVerdict::kForward);
  EXPECT_EQ(path, "/b%2fc?x=/../%61//");
  config.escaped_slashes = HttpConfig::EscapedSlashes::kReject;
  EXPECT_EQ(settle_path(path = "/a%5cb", config), PathVerdict::kReject);
  EXPECT_EQ(settle_path(path = "/a?%5cb", config), PathVerdict::kForward);
  config.escaped_slashes = HttpConfig::EscapedSlashes::kUnescapeAndForward;
  EXPECT_EQ(settle_path(path = "/x%2F..%5Cadmin%2f", config), PathVerdict::kForward);
  EXPECT_EQ(path, "/admin/");
  config.escaped_slashes = HttpConfig::EscapedSlashes::kUnescapeAndRedirect;
  EXPECT_EQ(settle_path(path = "/a%2Fb?q", config), PathVerdict::kRedirect);
  EXPECT_EQ(path, "/a/b?q");
  EXPECT_EQ(settle_path(path, config), PathVerdict::kForward) << "the client comes back with it";
  for (const std::string_view target : {"*", "", "/?"}) {
    path = target;
    EXPECT_EQ(settle_path(path, config), PathVerdict::kForward);
    EXPECT_EQ(path, target);
  }
}

TEST(PathNormal, a_nul_in_a_path_is_rejected) {
  HttpConfig config;
  std::string path = "/a%00b";
  EXPECT_EQ(settle_path(path, config), PathVerdict::kReject);
  config.normalize_path = true;
  EXPECT_EQ(settle_path(path, config), PathVerdict::kReject);
  EXPECT_EQ(settle_path(path = "/%00/../b", config), PathVerdict::kReject);
  for (const std::string_view fine : {"/a%2500", "/a?b=%00", "/a%01"})
    EXPECT_EQ(settle_path(path = fine, config), PathVerdict::kForward) << fine;
}

TEST(PathNormal, the_path_that_rules_see_is_the_path_that_is_forwarded) {
  Plane plane;
  Upstream a(plane.loop, "a");
  plane.http.normalize_path = true;
  plane.http.merge_slashes = true;
  Route guard = route_to("/admin", "a");
  guard.action = DirectAction{.status = 403, .body = {}};
  ASSERT_TRUE(plane.apply(table_of({guard, route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  for (const char* path : {"/admin", "/x/../admin", "/./admin", "//admin", "/%61dmin", "/\\admin",
                           "/x/%2e%2e/admin?q", "/..;/admin", "/x/..;a=b/admin"})
    EXPECT_EQ(plane.get(path).head.status, 403) << path;
  EXPECT_EQ(plane.get("/x/..%2fadmin").body, "a GET /x/..%2fadmin");
  EXPECT_EQ(plane.get("/y/../%7e/b?q=/../").body, "a GET /~/b?q=/../");
  plane.http.escaped_slashes = HttpConfig::EscapedSlashes::kReject;
  ASSERT_TRUE(plane.apply(table_of({guard, route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  EXPECT_EQ(plane.get("/x/..%2fadmin").head.status, 400);
  plane.http.escaped_slashes = HttpConfig::EscapedSlashes::kUnescapeAndRedirect;
  plane.http.merge_slashes = false;
  ASSERT_TRUE(plane.apply(table_of({guard, route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  const http::Response elsewhere = plane.get("/x/..%2fadmin?q");
  EXPECT_EQ(elsewhere.head.status, 307);
  EXPECT_EQ(elsewhere.head.headers.get("location"), "http://test/admin?q");
  EXPECT_EQ(plane.get("/%2felsewhere.example/").head.headers.get("location"),
            "http://test//elsewhere.example/");
}

}  // namespace
}  // namespace weft::proxy

#include "proxy/routing/routing_table.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

namespace weft::proxy {
namespace {

TEST(RewrittenPath, begins_with_a_slash_whatever_a_rule_leaves_of_it) {
  struct Row {
    const char *pattern, *substitution, *path, *want;
  };
  for (const Row& row : {Row{"^/drop$", "", "/drop?q=1", "/?q=1"},
                         {"^/.*", "", "/drop", "/"},
                         {"^/v1", "v2", "/v1/x", "/v2/x"},
                         {"^/v1", "/v2", "/v1/x", "/v2/x"}}) {
    Route route;
    route.match.path.text = "/";
    ForwardAction action;
    action.regex_rewrite = std::make_shared<const re2::RE2>(row.pattern);
    action.regex_substitution = row.substitution;
    EXPECT_EQ(rewritten_path(route, action, row.path), row.want) << row.pattern;
  }
  Route route;
  route.match.path.text = "/api/";
  ForwardAction action;
  action.prefix_rewrite = "v2/";
  EXPECT_EQ(rewritten_path(route, action, "/api/x"), "/v2/x");
}

TEST(RedirectLocation, its_path_begins_with_a_slash_and_its_host_stays_the_host) {
  http::RequestHead request;
  request.scheme = "http";
  request.authority = "a.example";
  request.path = "/old/x?q=1";
  Route route;
  route.match.path.text = "/old/";
  RedirectAction by_prefix, by_path;
  by_prefix.prefix_rewrite = "new/";
  by_path.path = "there";
  EXPECT_EQ(redirect_location(route, by_prefix, request), "http://a.example/new/x?q=1");
  EXPECT_EQ(redirect_location(route, by_path, request), "http://a.example/there?q=1");
}

TEST(RedirectLocation, a_port_that_the_rule_itself_names_stays_and_that_of_the_old_scheme_goes) {
  const Route route;
  http::RequestHead request;
  request.path = "/x";
  request.scheme = "http";
  request.authority = "a.example:80";
  RedirectAction redirect;
  redirect.scheme = "https";
  EXPECT_EQ(redirect_location(route, redirect, request), "https://a.example/x");
  redirect.host = "shop.example:80";
  EXPECT_EQ(redirect_location(route, redirect, request), "https://shop.example:80/x");
}

}  // namespace
}  // namespace weft::proxy

#include <gtest/gtest.h>

#include <functional>

#include "xds/convert.h"
#include "xds/proto/http_connection_manager.pb.h"

namespace weft::xds {
namespace {

/// A route table of one host and one route, which the test changes.
route::RouteConfiguration table(const std::function<void(route::VirtualHost&, route::Route&)>& change) {
  route::RouteConfiguration config;
  config.set_name("routes");
  auto& host = *config.add_virtual_hosts();
  host.set_name("all");
  host.add_domains("*");
  auto& only = *host.add_routes();
  only.mutable_match()->set_prefix("/");
  only.mutable_route()->set_cluster("a");
  change(host, only);
  return config;
}

/// What is said against it; "fine" when nothing is.
std::string verdict(const std::function<void(route::VirtualHost&, route::Route&)>& change) {
  const route::RouteConfiguration config = table(change);
  const Path path("rds");
  Conversion conversion(false);
  const auto made = to_route_table(config, path, conversion);
  if (!made) return made.error().text;
  if (!conversion.rejected().empty()) return conversion.rejected().front();
  return conversion.left_out().empty() ? "fine" : conversion.left_out().front();
}

void expect_at(const std::string& said, const std::string& path, const std::string& what) {
  EXPECT_EQ(said.find(path), 0u) << said;
  EXPECT_NE(said.find(what), std::string::npos) << said;
}

template <class Message>
void add_header(Message& to, const std::string& value) {
  auto& header = *to.add_request_headers_to_add()->mutable_header();
  header.set_key("x-a");
  header.set_value(value);
}

TEST(TextOfConfiguration, a_header_s_value_has_no_line_end_and_no_operator_that_is_not_known) {
  const std::string route = "rds.virtual_hosts[0].routes[0].request_headers_to_add[0].header.value";
  const auto of_route = [](const std::string& value) {
    return verdict([&](auto&, auto& only) { add_header(only, value); });
  };
  EXPECT_EQ(of_route("a\tvalue, %REQ(x-b)% and 100%%"), "fine");
  EXPECT_EQ(of_route("g\xc3\xbcnstig"), "fine");
  expect_at(of_route("long\n"), route, "0x0a (a line end) at position 4");
  expect_at(of_route("a\r\nset-cookie: b"), route, "0x0d");
  expect_at(of_route(std::string("a\0b", 3)), route, "0x00");
  expect_at(of_route("100%"), route, "'%%'");
  expect_at(of_route("%NOSUCH%"), route, "'%NOSUCH%'");
  expect_at(of_route("%START_TIME(%Q)%"), route, "'%Q'");
  expect_at(verdict([](auto& host, auto&) { add_header(host, "a\n"); }),
            "rds.virtual_hosts[0].request_headers_to_add[0].header.value", "0x0a");
  expect_at(verdict([](auto&, auto& only) {
              auto& one = *only.mutable_route()->mutable_weighted_clusters()->add_clusters();
              one.set_name("a");
              one.mutable_weight()->set_value(1);
              add_header(one, "a\n");
            }),
            "rds.virtual_hosts[0].routes[0].route.weighted_clusters.clusters[0]", "0x0a");
}

TEST(TextOfConfiguration, rewrites_and_redirects_fit_into_a_request_line) {
  const std::string route = "rds.virtual_hosts[0].routes[0].";
  const auto rewritten = [](const std::function<void(route::RouteAction&)>& change) {
    return verdict([&](auto&, auto& only) { change(*only.mutable_route()); });
  };
  const auto redirected = [](const std::function<void(route::RedirectAction&)>& change) {
    return verdict([&](auto&, auto& only) { change(*only.mutable_redirect()); });
  };
  EXPECT_EQ(rewritten([](auto& to) { to.set_prefix_rewrite("/new?x=%20"); }), "fine");
  expect_at(rewritten([](auto& to) { to.set_prefix_rewrite("/new path"); }), route + "route.prefix_rewrite",
            "0x20");
  expect_at(rewritten([](auto& to) { to.set_prefix_rewrite("/new\r\nHost: x"); }),
            route + "route.prefix_rewrite", "0x0d");
  EXPECT_EQ(rewritten([](auto& to) { to.set_host_rewrite_literal("b.example:80"); }), "fine");
  expect_at(rewritten([](auto& to) { to.set_host_rewrite_literal("b\n"); }),
            route + "route.host_rewrite_literal", "0x0a");
  const auto by_regex = [&](const std::string& substitution) {
    return rewritten([&](auto& to) {
      to.mutable_regex_rewrite()->mutable_pattern()->set_regex("^/(a)$");
      to.mutable_regex_rewrite()->set_substitution(substitution);
    });
  };
  EXPECT_EQ(by_regex("/b/\\1"), "fine");
  expect_at(by_regex("/b/\\2"), route + "route.regex_rewrite.substitution", "2");
  expect_at(by_regex("/b \n"), route + "route.regex_rewrite.substitution", "0x20");
  EXPECT_EQ(redirected([](auto& to) { to.set_host_redirect("c.example"); }), "fine");
  expect_at(redirected([](auto& to) { to.set_host_redirect("c\r\nx: y"); }), route + "redirect.host_redirect",
            "0x0d");
  expect_at(redirected([](auto& to) { to.set_path_redirect("/a\n"); }), route + "redirect.path_redirect",
            "0x0a");
  expect_at(redirected([](auto& to) { to.set_prefix_rewrite("/a b"); }), route + "redirect.prefix_rewrite",
            "0x20");
  expect_at(redirected([](auto& to) { to.set_scheme_redirect("ht\ntp"); }),
            route + "redirect.scheme_redirect", "no scheme");
  expect_at(verdict([](auto&, auto& only) { only.mutable_decorator()->set_operation("a\n"); }),
            route + "decorator.operation", "0x0a");
  expect_at(rewritten([](auto& to) { to.set_cluster_header(":authority"); }), route + "route.cluster_header",
            "header's name");
}

TEST(TextOfConfiguration, every_retry_condition_is_done_or_named) {
  const auto said = [](const std::string& condition) {
    return verdict(
        [&](auto&, auto& only) { only.mutable_route()->mutable_retry_policy()->set_retry_on(condition); });
  };
  EXPECT_EQ(said("connect-failure,refused-stream,unavailable,cancelled,deadline-exceeded,internal,"
                 "resource-exhausted,retriable-status-codes,retriable-headers,envoy-ratelimited,reset,"
                 "reset-before-request,5xx,gateway-error,retriable-4xx,http3-post-connect-failure"),
            "fine");
  EXPECT_NE(said("5xx,teapot").find("'teapot'"), std::string::npos);
  const auto config = table([](auto&, auto& only) {
    auto& policy = *only.mutable_route()->mutable_retry_policy();
    policy.set_retry_on("unavailable,internal,retriable-headers,envoy-ratelimited,reset-before-request");
    auto& header = *policy.add_retriable_headers();
    header.set_name("X-Busy");
    header.set_exact_match("yes");
  });
  const Path path("rds");
  Conversion conversion(true);
  const auto made = to_route_table(config, path, conversion);
  ASSERT_TRUE(made) << made.error().text;
  const auto& policy = *std::get<proxy::ForwardAction>(made->hosts[0].routes[0].action).retry;
  EXPECT_EQ(policy.grpc_statuses, 1u << 14 | 1u << 13);
  EXPECT_TRUE(policy.retriable_headers && policy.rate_limited && policy.reset_before_request);
  ASSERT_EQ(policy.response_headers.size(), 1u);
  EXPECT_EQ(policy.response_headers[0].name, "x-busy");
}

TEST(TextOfConfiguration, what_a_manager_says_of_paths_is_taken) {
  using Manager = http_manager::HttpConnectionManager;
  Manager manager;
  manager.set_stat_prefix("a");
  manager.mutable_route_config()->set_name("none");
  envoy::extensions::filters::http::router::v3::Router router;
  auto& filter = *manager.add_http_filters();
  filter.set_name("router");
  filter.mutable_typed_config()->PackFrom(router);
  manager.mutable_normalize_path()->set_value(true);
  manager.set_merge_slashes(true);
  using Slashes = proxy::HttpConfig::EscapedSlashes;
  constexpr std::pair<Manager::PathWithEscapedSlashesAction, Slashes> kCases[] = {
      {Manager::IMPLEMENTATION_SPECIFIC_DEFAULT, Slashes::kKeep},
      {Manager::KEEP_UNCHANGED, Slashes::kKeep},
      {Manager::REJECT_REQUEST, Slashes::kReject},
      {Manager::UNESCAPE_AND_REDIRECT, Slashes::kUnescapeAndRedirect},
      {Manager::UNESCAPE_AND_FORWARD, Slashes::kUnescapeAndForward}};
  const Path path("http");
  for (const auto& [action, want] : kCases) {
    manager.set_path_with_escaped_slashes_action(action);
    Conversion conversion(true);
    const auto made = to_http(manager, path, conversion);
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_TRUE(made->config.normalize_path && made->config.merge_slashes);
    EXPECT_EQ(made->config.escaped_slashes, want);
  }
  manager.set_server_name("a\nb");
  Conversion conversion(true);
  const auto rejected = to_http(manager, path, conversion);
  ASSERT_FALSE(rejected);
  expect_at(rejected.error().text, "http.server_name", "0x0a");
}

}  // namespace
}  // namespace weft::xds

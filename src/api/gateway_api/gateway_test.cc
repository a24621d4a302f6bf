#include "api/gateway_api/gateway.h"

#include <gtest/gtest.h>

#include "api/testing/spec.h"

namespace weft::api::gateway_api {
namespace {

TEST(ApiGatewayReading, listeners_have_a_host_a_port_a_protocol_and_a_place) {
  const Parsed parsed = testing::file("gateway.networking.k8s.io/v1", "Gateway", R"(  gatewayClassName: istio
  infrastructure: {labels: {b: '2', a: '1'}, annotations: {c: d}}
  addresses: [{value: edge}]
  listeners:
  - {name: a, port: 80, protocol: HTTP, hostname: '*.example'}
  - {name: b, port: 8080, protocol: HTTP}
)");
  const Gateway made = read_gateway(parsed.objects[0].spec());
  EXPECT_EQ(made.class_name, "istio");
  EXPECT_EQ(made.addresses, std::vector<std::string>{"edge"});
  ASSERT_TRUE(made.infrastructure);
  EXPECT_EQ(made.infrastructure->labels, (TextPairs{{"b", "2"}, {"a", "1"}}));
  EXPECT_EQ(made.infrastructure->annotations, (TextPairs{{"c", "d"}}));
  ASSERT_EQ(made.listeners.size(), 2u);
  const Listener &a = made.listeners[0], &b = made.listeners[1];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.host, "*.example");
  EXPECT_EQ(a.port, 80);
  EXPECT_EQ(a.protocol, "HTTP");
  EXPECT_EQ(b.host, "*");
  EXPECT_EQ(b.namespaces.from, RouteNamespaces::From::kSame);
  EXPECT_EQ(parsed.origins[0].place(b.where.to_string()), "f.yaml:10");
}

TEST(ApiGatewayReading, routes_come_from_namespaces) {
  using enum RouteNamespaces::From;
  const struct {
    const char* namespaces;
    RouteNamespaces::From from;
    bool lets_in_blue;  ///< by its selector
  } rows[] = {
      {"{from: All}", kAll, false},
      {"{from: None}", kNone, false},
      {"{from: Same}", kSame, false},
      {"{from: Everywhere}", kSame, false},
      {"{}", kSame, false},
      {"5", kSame, false},
      {"{from: Selector}", kSelector, true},
      {"{from: Selector, selector: {matchLabels: {color: blue}}}", kSelector, true},
      {"{from: Selector, selector: {matchLabels: {color: red}}}", kSelector, false},
      {"{from: Selector, selector: {matchExpressions: [{key: color, operator: Likes}]}}", kSelector, false}};
  for (const auto& row : rows) {
    const Gateway made = read_gateway(
        testing::spec("listeners: [{allowedRoutes: {namespaces: " + std::string(row.namespaces) + "}}]"));
    const RouteNamespaces& namespaces = made.listeners.at(0).namespaces;
    EXPECT_EQ(namespaces.from, row.from) << row.namespaces;
    EXPECT_EQ(namespaces.selector && namespaces.selector->matches({{"color", "blue"}}), row.lets_in_blue)
        << row.namespaces;
  }
}

TEST(ApiGatewayReading, what_is_absent_or_wrong_is_absent_and_places_stay) {
  const Gateway made = read_gateway(testing::spec(
      R"({listeners: [5, {port: 70000, allowedRoutes: {kinds: [{kind: HTTPRoute}, {group: '', kind: Service}]}}],
          addresses: [7, {value: b}], infrastructure: {}})"));
  ASSERT_EQ(made.listeners.size(), 2u);
  EXPECT_EQ(made.listeners[1].where.to_string(), "spec.listeners[1]");
  EXPECT_EQ(made.listeners[1].port, 0);
  ASSERT_EQ(made.listeners[1].kinds.size(), 2u);
  EXPECT_EQ(made.listeners[1].kinds[0].group, std::nullopt);
  EXPECT_EQ(made.listeners[1].kinds[1].group, "");
  EXPECT_EQ(made.addresses, (std::vector<std::string>{"", "b"}));
  EXPECT_FALSE(made.infrastructure);
  EXPECT_EQ(read_gateway_class(testing::spec("controllerName: a/b")).controller, "a/b");
  EXPECT_EQ(read_gateway_class(testing::spec("controllerName: [a]")).controller, "");
}

}  // namespace
}  // namespace weft::api::gateway_api

#include "control/translation/route_builder.h"

#include <gtest/gtest.h>

#include "control/testing/objects.h"
#include "control/translation/messages.h"

namespace weft::control {
namespace {

/// The route of a rule whose only HTTP route says this.
route::Route route_of(const std::string& http) {
  const PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(
      1, testing::objects("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\n"
                          "spec: {hosts: [a], http: [{" +
                          http + "}]}\n"))));
  const ProxyIdentity nobody;
  route::VirtualHost host;
  add_rule_routes(host, push.rules.virtual_services().front(), {push, nobody, std::string(kMesh), 80});
  return host.routes(0);
}

/// {headers: {request: {set: {Host: <host>}}}}; empty when there is none.
std::string setting_host(const std::string& host) {
  return host.empty() ? "" : ", headers: {request: {set: {Host: " + host + "}}}";
}

TEST(RouteBuilding, the_host_is_the_rewrite_s_else_the_route_s_else_the_only_destination_s) {
  struct Row {
    const char *rewrite, *route, *destination, *host;
  };
  for (const Row& row :
       {Row{"", "", "", ""}, Row{"", "", "d", "d"}, Row{"", "r", "", "r"}, Row{"", "r", "d", "r"},
        Row{"w", "", "", "w"}, Row{"w", "", "d", "w"}, Row{"w", "r", "", "w"}, Row{"w", "r", "d", "w"}}) {
    const std::string rewrite(row.rewrite);
    const route::Route made = route_of("route: [{destination: {host: a}" + setting_host(row.destination) +
                                       "}]" + setting_host(row.route) +
                                       (rewrite.empty() ? "" : ", rewrite: {authority: " + rewrite + "}"));
    EXPECT_EQ(made.route().host_rewrite_literal(), row.host)
        << row.rewrite << "; " << row.route << "; " << row.destination;
    EXPECT_EQ(made.request_headers_to_add_size(), 0);
    const route::Route both =
        route_of("route: [{destination: {host: a}, weight: 1" + setting_host(row.destination) +
                 "}, {destination: {host: b}, weight: 1}]" + setting_host(row.route) +
                 (rewrite.empty() ? "" : ", rewrite: {authority: " + rewrite + "}"));
    const auto& a = both.route().weighted_clusters().clusters(0);
    const std::string host = both.route().host_rewrite_literal();
    EXPECT_TRUE(host.empty() || a.host_rewrite_literal().empty())
        << "the cluster's would take the place of the route's";
    EXPECT_EQ(host + a.host_rewrite_literal(), row.host);
  }
}

std::string names(const auto& headers) {
  std::string text;
  for (const auto& each : headers) text += each.header().key() + "=" + each.header().value() + " ";
  return text;
}

TEST(RouteBuilding, headers_of_the_only_destination_come_after_those_of_the_route_and_so_hold) {
  const auto headers = [](const std::string& by) {
    const std::string operations = "{set: {x: " + by + "}, add: {y: " + by + "}, remove: [z-" + by + "]}";
    return ", headers: {request: " + operations + ", response: " + operations + "}";
  };
  const route::Route made = route_of("route: [{destination: {host: a}" + headers("d") + "}]" + headers("r"));
  EXPECT_EQ(names(made.request_headers_to_add()), "x=r y=r x=d y=d ");
  EXPECT_EQ(names(made.response_headers_to_add()), "x=r y=r x=d y=d ");
  EXPECT_EQ(made.request_headers_to_remove(0), "z-r");
  EXPECT_EQ(made.response_headers_to_remove(1), "z-d");
}

TEST(RouteBuilding, a_response_that_forwards_nothing_has_the_headers_of_its_route) {
  const route::Route made = route_of("directResponse: {status: 204}, headers: {response: {set: {x: r}}}");
  EXPECT_EQ(made.direct_response().status(), 204u);
  EXPECT_EQ(names(made.response_headers_to_add()), "x=r ");
}

}  // namespace
}  // namespace weft::control

#include <gtest/gtest.h>

#include "control/testing/objects.h"
#include "control/translation/gateway_api_routes.h"
#include "control/translation/messages.h"
#include "control/translation/route_builder.h"
#include "proxy/routing/routing_table.h"
#include "xds/resource.h"

namespace weft::control {
namespace {

/// The only route as a proxy takes it.
std::shared_ptr<const proxy::RouteTable> as_proxies_have_it(const route::Route& made) {
  route::RouteConfiguration table;
  set_route_table_options(table, "t");
  auto& host = *table.add_virtual_hosts();
  host.add_domains("*");
  *host.add_routes() = made;
  auto resource = xds::decode(xds::Type::kRoute, serialize(table));
  EXPECT_TRUE(resource && (*resource)->rejected.empty());
  return (*resource)->as<proxy::RouteTable>();
}

TEST(PathRewrite, a_regular_expression_stands_for_the_whole_path_and_so_does_what_replaces_it) {
  struct Row {
    const char *pattern, *path, *rewritten;
  };
  const Row rows[] = {
      {"/api|/api/v1", "/api/v1", "/new"}, {"/a+?.*?", "/aab", "/new"},
      {".*", "/anything", "/new"},         {"/?a?", "/a", "/new"},
      {"(/x)*", "/x/x?q=1", "/new?q=1"},
  };
  for (const Row& row : rows) {
    auto objects = testing::objects(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec: {hosts: [a], "
        "http: "
        "[{match: [{uri: {regex: '" +
        std::string(row.pattern) + "'}}], rewrite: {uri: /new}, route: [{destination: {host: a}}]}]}");
    const PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, std::move(objects))));
    const ProxyIdentity nobody;
    route::VirtualHost host;
    add_rule_routes(host, push.rules.virtual_services().front(), {push, nobody, std::string(kMesh), 80});
    const auto table = as_proxies_have_it(host.routes(0));
    const proxy::Route& made = table->hosts.at(0).routes.at(0);
    EXPECT_EQ(proxy::rewritten_path(made, std::get<proxy::ForwardAction>(made.action), row.path),
              row.rewritten)
        << row.pattern;
  }
}

TEST(ApiRedirect, a_port_is_written_only_where_the_scheme_does_not_say_it) {
  struct Row {
    const char* redirect;
    std::uint16_t listener;
    const char* location;
  };
  const Row rows[] = {
      {"scheme: https", 80, "https://g.example/a"},
      {"{scheme: https, port: 443}", 80, "https://g.example/a"},
      {"{scheme: https, port: 8443}", 80, "https://g.example:8443/a"},
      {"scheme: http", 8080, "http://g.example/a"},
      {"{scheme: http, port: 80, hostname: h.example}", 80, "http://h.example/a"},
      {"port: 80", 80, "http://g.example/a"},
      {"port: 8080", 80, "http://g.example:8080/a"},
      {"hostname: h.example", 80, "http://h.example/a"},
      {"hostname: h.example", 8080, "http://h.example:8080/a"},
      {"statusCode: 301", 80, "http://g.example:18080/a"},
  };
  for (const Row& row : rows) {
    std::string redirect = row.redirect;
    if (!redirect.starts_with('{')) redirect = "{" + redirect + "}";
    auto objects = testing::objects(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a}\nspec: {rules: "
        "[{filters: "
        "[{type: RequestRedirect, requestRedirect: " +
        redirect + "}]}]}");
    const PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, std::move(objects))));
    const ProxyIdentity nobody;
    const ApiRoute& from = push.gateway_api.routes().front();
    const auto routes =
        api_rule_routes(from, from.spec->rules.at(0), {}, {push, nobody, "gateway", row.listener});
    const auto table = as_proxies_have_it(routes.at(0));
    const proxy::Route& made = table->hosts.at(0).routes.at(0);
    http::RequestHead request;
    request.scheme = "http";
    request.authority = "g.example:18080";
    request.path = "/a";
    EXPECT_EQ(proxy::redirect_location(made, std::get<proxy::RedirectAction>(made.action), request),
              row.location)
        << row.redirect;
  }
}

}  // namespace
}  // namespace weft::control

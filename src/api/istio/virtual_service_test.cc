#include "api/istio/virtual_service.h"

#include <gtest/gtest.h>

#include "api/testing/spec.h"

namespace weft::api::istio {
namespace {

using namespace std::chrono_literals;
using Form = StringMatch::Form;

VirtualService read(std::string_view yaml) { return read_virtual_service(testing::spec(yaml)); }

/// The only HTTP route of a rule.
HttpRoute route(std::string_view yaml) {
  const VirtualService made = read("http: [{" + std::string(yaml) + "}]");
  EXPECT_EQ(made.http.size(), 1u) << yaml;
  return made.http.at(0);
}

const Forward& forward(const HttpRoute& route) { return std::get<Forward>(route.action); }

TEST(VirtualServiceReading, hosts_gateways_and_whom_it_is_exported_to) {
  const VirtualService made = read("{hosts: [A, b.example], gateways: [mesh, ns/g]}");
  EXPECT_EQ(made.hosts, (std::vector<std::string>{"A", "b.example"}));
  EXPECT_EQ(made.gateways, (std::vector<std::string>{"mesh", "ns/g"}));
  const struct {
    const char* to;
    bool exported;
  } rows[] = {{"{}", true},
              {"exportTo: []", true},
              {"exportTo: ['.']", false},
              {"exportTo: ['*']", true},
              {"exportTo: ['.', '*']", true},
              {"exportTo: [5]", false}};
  for (const auto& row : rows) EXPECT_EQ(read(row.to).exported, row.exported) << row.to;
}

TEST(VirtualServiceReading, a_match_asks_for_parts_of_a_request) {
  const HttpRoute made =
      route(R"(match: [{name: x, uri: {prefix: /a}, method: {exact: GET}, scheme: {regex: h.*},
    authority: {exact: shop}, headers: {x: {exact: '1'}, y: {}}, withoutHeaders: {z: {prefix: q}}, queryParams: {p: {regex: a}},
    ignoreUriCase: true, port: 80, sourceLabels: {app: a}, gateways: [g]}])");
  ASSERT_EQ(made.matches.size(), 1u);
  const auto& [scope, request] = made.matches[0];
  EXPECT_TRUE(scope.understood);
  EXPECT_EQ(scope.port, 80);
  EXPECT_EQ(scope.source_labels, (Labels{{"app", "a"}}));
  EXPECT_EQ(scope.gateways, std::vector<std::string>{"g"});
  EXPECT_EQ(request.uri, (StringMatch{Form::kPrefix, "/a"}));
  EXPECT_EQ(request.method, (StringMatch{Form::kExact, "GET"}));
  EXPECT_EQ(request.scheme, (StringMatch{Form::kRegex, "h.*"}));
  EXPECT_EQ(request.authority, (StringMatch{Form::kExact, "shop"}));
  EXPECT_EQ(request.headers,
            (std::vector<NamedMatch>{{"x", {Form::kExact, "1"}}, {"y", {Form::kPresent, ""}}}));
  EXPECT_EQ(request.without_headers, (std::vector<NamedMatch>{{"z", {Form::kPrefix, "q"}}}));
  EXPECT_EQ(request.query_params, (std::vector<NamedMatch>{{"p", {Form::kRegex, "a"}}}));
  EXPECT_TRUE(request.ignore_uri_case);
}

TEST(VirtualServiceReading, a_match_that_is_not_understood_is_there_and_says_so) {
  const struct {
    const char* match;
    bool understood;
  } rows[] = {{"[{}]", true},
              {"[{uri: {exact: ''}}]", true},
              {"[{sourceNamespace: a}]", false},
              {"[{sourceNamespace: null, statPrefix: null}]", true},
              {"[{uri: {}}]", false},
              {"[{uri: {exact: a, prefix: b}}]", false},
              {"[{uri: {suffix: a}}]", false},
              {"[{uri: a}]", false},
              {"[{headers: {x: 1}}]", false},
              {"[{headers: {x: {exact: 1}}}]", false},
              {"[{method: {}}]", false},
              {"[{port: 70000}]", false},
              {"[{sourceLabels: {a: 1}}]", false},
              {"[{gateways: [1]}]", false},
              {"[null]", false},
              {"{uri: {exact: a}}", false},
              {"5", false}};
  for (const auto& row : rows) {
    const std::string text = std::string("match: ") + row.match;
    const HttpRoute made = route(text);
    ASSERT_EQ(made.matches.size(), 1u) << text;
    EXPECT_EQ(made.matches[0].scope.understood, row.understood) << text;
  }
  EXPECT_TRUE(route("match: null").matches.empty());
  EXPECT_TRUE(route("match: []").matches.empty());
}

TEST(VirtualServiceReading, a_route_forwards_with_what_it_says_of_time_and_retries) {
  const HttpRoute made = route(R"(name: first, timeout: 1.5s, rewrite: {uri: /x, authority: shop},
    retries: {attempts: 3, perTryTimeout: 250ms, backoff: 1s, retryOn: 'gateway-error, 503,,5xx'},
    route: [{destination: {host: a, subset: v1, port: {number: 80}}, weight: 30, headers: {request: {set: {b: '2', a: '1'}, remove: [c]}}},
            {destination: {host: b}, weight: 70}])");
  EXPECT_EQ(made.name, "first");
  EXPECT_EQ(forward(made).timeout, 1500ms);
  EXPECT_EQ(forward(made).rewrite.uri, "/x");
  EXPECT_EQ(forward(made).rewrite.authority, "shop");
  const Retries& retries = forward(made).retries;
  EXPECT_EQ(retries.attempts, 3u);
  EXPECT_EQ(retries.per_try_timeout, 250ms);
  EXPECT_EQ(retries.backoff, 1s);
  EXPECT_EQ(retries.on->conditions, (std::vector<std::string>{"gateway-error", "5xx"}));
  EXPECT_EQ(retries.on->status_codes, std::vector<std::uint32_t>{503});
  ASSERT_EQ(made.destinations().size(), 2u);
  const WeightedDestination& first = made.destinations()[0];
  EXPECT_EQ(first.destination.host, "a");
  EXPECT_EQ(first.destination.subset, "v1");
  EXPECT_EQ(first.destination.port, 80);
  EXPECT_EQ(first.weight, 30u);
  EXPECT_EQ(first.headers.request.set, (TextPairs{{"b", "2"}, {"a", "1"}})) << "in the order of the file";
  EXPECT_EQ(first.headers.request.remove, std::vector<std::string>{"c"});
}

TEST(VirtualServiceReading, what_a_route_does_not_say_is_absent) {
  const HttpRoute made = route("route: [{destination: {host: a}}]");
  EXPECT_EQ(forward(made).timeout, std::nullopt);
  EXPECT_EQ(forward(made).retries.attempts, std::nullopt);
  EXPECT_FALSE(forward(made).retries.on);
  EXPECT_EQ(made.destinations()[0].weight, 0u);
  EXPECT_EQ(made.destinations()[0].destination.port, 0);
  EXPECT_FALSE(made.fault);
  EXPECT_EQ(forward(route("timeout: 0s")).timeout, 0ms);
  EXPECT_EQ(forward(route("retries: {attempts: 0}")).retries.attempts, 0u);
  EXPECT_EQ(forward(route("retries: {}")).retries.attempts, 0u);
  EXPECT_FALSE(forward(route("retries: {retryOn: ''}")).retries.on);
  for (const char* wrong :
       {"route: 5", "route: [5]", "timeout: soon", "retries: [1]", "rewrite: x", "name: 1"})
    EXPECT_EQ(forward(route(wrong)).timeout, std::nullopt) << wrong;
  EXPECT_EQ(route("route: [5, {destination: {host: b}}]").destinations()[1].where.to_string(),
            "spec.http[0].route[1]");
}

TEST(VirtualServiceReading, a_route_redirects_or_responds) {
  const Redirect redirect = std::get<Redirect>(
      route("redirect: {uri: /u, authority: a, scheme: https, port: 8443, redirectCode: 308}").action);
  EXPECT_EQ(redirect.uri + redirect.authority + redirect.scheme, "/uahttps");
  EXPECT_EQ(redirect.port, 8443);
  EXPECT_EQ(redirect.code, 308);
  EXPECT_EQ(std::get<Redirect>(route("redirect: {uri: /u}").action).code, 301);
  const struct {
    const char* direct;
    int status;
    std::optional<Body::Form> form;
    const char* content;
  } rows[] = {{"{status: 418}", 418, std::nullopt, ""},
              {"{status: 200, body: {string: hi}}", 200, Body::Form::kText, "hi"},
              {"{status: 200, body: {string: ''}}", 200, Body::Form::kText, ""},
              {"{status: 200, body: {bytes: aGk=}}", 200, Body::Form::kBytes, "hi"},
              {"{}", 200, std::nullopt, ""}};
  for (const auto& row : rows) {
    const auto made = std::get<DirectResponse>(route(std::string("directResponse: ") + row.direct).action);
    EXPECT_EQ(made.status, row.status) << row.direct;
    EXPECT_EQ(made.body.has_value(), row.form.has_value()) << row.direct;
    if (made.body) EXPECT_EQ(made.body->form, *row.form) << row.direct;
    if (made.body) EXPECT_EQ(made.body->content, row.content) << row.direct;
  }
}

TEST(VirtualServiceReading, a_fault_has_a_share_of_requests) {
  const struct {
    const char* fault;
    PerMillion share;
  } rows[] = {{"{delay: {fixedDelay: 1s, percentage: {value: 12.3456}}}", 123456},
              {"{delay: {fixedDelay: 1s, percentage: {value: 100}}}", 1'000'000},
              {"{delay: {fixedDelay: 1s, percent: 7}}", 70'000},
              {"{delay: {fixedDelay: 1s}}", 0},
              {"{delay: {fixedDelay: 1s, percentage: {}}}", 0},
              {"{delay: {fixedDelay: 1s, percentage: {value: 101}}}", 0},
              {"{delay: {fixedDelay: 1s, percentage: {value: -1}}}", 0},
              {"{delay: {fixedDelay: 1s, percentage: {value: all}}}", 0}};
  for (const auto& row : rows) {
    const HttpRoute made = route(std::string("fault: ") + row.fault);
    ASSERT_TRUE(made.fault && made.fault->delay) << row.fault;
    EXPECT_EQ(made.fault->delay->share, row.share) << row.fault;
    EXPECT_EQ(made.fault->delay->time, 1s) << row.fault;
    EXPECT_FALSE(made.fault->abort) << row.fault;
  }
  const Fault grpc = *route("fault: {abort: {grpcStatus: UNAVAILABLE, percentage: {value: 1}}}").fault;
  EXPECT_EQ(std::get<GrpcStatus>(grpc.abort->status).code, 14);
  EXPECT_EQ(grpc.abort->share, 10'000u);
  EXPECT_EQ(std::get<HttpStatus>(route("fault: {abort: {httpStatus: 418}}").fault->abort->status).code, 418);
  EXPECT_FALSE(route("fault: {delay: {}, abort: {}}").fault->delay);
}

TEST(VirtualServiceReading, tcp_routes_match_by_port_caller_and_gateway) {
  const VirtualService made = read(
      "tcp: [{match: [{port: 9000, gateways: [g]}, {destinationSubnets: [10.0.0.0/8]}], route: "
      "[{destination: "
      "{host: a}, weight: 1}]}]");
  ASSERT_EQ(made.tcp.size(), 1u);
  ASSERT_EQ(made.tcp[0].matches.size(), 2u);
  EXPECT_EQ(made.tcp[0].matches[0].port, 9000);
  EXPECT_TRUE(made.tcp[0].matches[0].understood);
  EXPECT_FALSE(made.tcp[0].matches[1].understood);
  EXPECT_EQ(made.tcp[0].matches[1].where.to_string(), "spec.tcp[0].match[1]");
  EXPECT_EQ(made.tcp[0].destinations.at(0).destination.host, "a");
}

TEST(VirtualServiceReading, each_part_knows_the_line_that_it_stands_on) {
  const Parsed parsed = testing::file("networking.istio.io/v1", "VirtualService", R"(  hosts: [a]
  http:
  - match:
    - uri: {prefix: /a}
    - uri: {prefix: /b}
    route:
    - destination: {host: a}
      weight: 1
    - destination: {host: b}
      weight: 1
)");
  const VirtualService made = read_virtual_service(parsed.objects[0].spec());
  const Origin& origin = parsed.origins[0];
  const HttpRoute& http = made.http.at(0);
  EXPECT_EQ(origin.place(http.matches.at(1).scope.where.to_string()), "f.yaml:9");
  EXPECT_EQ(origin.place(http.destinations().at(1).where.to_string() + ".destination.host"), "f.yaml:13");
  EXPECT_EQ(origin.place(http.where.to_string()), "f.yaml:7");
}

TEST(VirtualServiceReading, nothing_is_made_of_what_is_no_rule_at_all) {
  for (const char* odd : {"[]", "5", "null", "{http: 5, tcp: {}}", "{http: {a: b}, hosts: a}"}) {
    const VirtualService made = read_virtual_service(testing::spec(std::string("v: ") + odd)["v"]);
    EXPECT_TRUE(made.http.empty() && made.tcp.empty() && made.hosts.empty()) << odd;
  }
}

}  // namespace
}  // namespace weft::api::istio

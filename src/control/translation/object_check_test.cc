#include "control/translation/object_check.h"

#include <gtest/gtest.h>

#include <iterator>
#include <random>

#include "api/admit.h"
#include "api/parse.h"
#include "control/testing/objects.h"
#include "control/translation/messages.h"
#include "control/translation/translate.h"
#include "control/translation/translator.h"

namespace weft::control {
namespace {

/// Everything that is wrong with the objects of a file, with lines; "none" when nothing is.
std::string wrong(std::string_view yaml) {
  api::Parsed parsed = api::parse_objects(yaml, "f.yaml", "default", check_object);
  std::string found;
  for (const api::Problem& problem : parsed.problems)
    found += (found.empty() ? "" : " | ") + problem.to_string();
  return found.empty() ? "none" : found;
}

std::string virtual_service(const std::string& http) {
  return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n  hosts: "
         "[a]\n"
         "  http:\n  - " +
         http + "\n";
}

TEST(ObjectCheck, what_a_proxy_would_reject_is_named_with_file_line_and_field) {
  const std::string to = "route: [{destination: {host: a}}]\n    headers: ";
  EXPECT_EQ(wrong(virtual_service("route: [{destination: {host: a}}]")), "none");
  const std::string lone = wrong(virtual_service(to + "{request: {set: {x-discount: 100%}}}"));
  EXPECT_TRUE(
      lone.starts_with("f.yaml:8: spec.http[0].headers.request.set.x-discount: no proxy accepts it: operator "
                       "at '%' lacks its closing '%'"))
      << lone;
  const std::string unknown =
      wrong(virtual_service("name: two\n    " + to + "{response: {add: {x: '%NOSUCH%'}}}"));
  EXPECT_TRUE(
      unknown.starts_with("f.yaml:9: spec.http[0].headers.response.add.x: no proxy accepts it: unknown "
                          "operator '%NOSUCH%'"))
      << unknown;
  EXPECT_EQ(wrong("apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec:\n"
                  "  selector: {istio: ingressgateway}\n  servers:\n"
                  "  - port: {number: 15000, name: http, protocol: HTTP}\n    hosts: ['*']\n"),
            "f.yaml:7: spec.servers[0].port.number: 15000: is a port of the proxy itself; choose another");
}

TEST(ObjectCheck, a_host_can_be_set_at_each_of_several_destinations) {
  EXPECT_EQ(
      wrong(virtual_service("route: [{destination: {host: a}, weight: 1, headers: {request: {set: {Host: "
                            "b.example}}}}, {destination: {host: b}, weight: 1}]")),
      "none");
}

TEST(ObjectCheck, values_of_an_http_route_are_plain_texts) {
  EXPECT_EQ(wrong("apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a}\nspec:\n"
                  "  rules:\n  - filters:\n    - type: RequestHeaderModifier\n      requestHeaderModifier:\n"
                  "        set: [{name: x, value: '100% %REQ(x-secret)%'}]\n"),
            "none");
}

// --- what is stored already

std::vector<api::ObjectPtr> stored(std::string_view yaml) { return testing::objects(yaml); }

/// The bytes of an empty list of endpoints.
std::string assignment(const std::string& cluster_name) {
  endpoint::ClusterLoadAssignment made;
  made.set_cluster_name(cluster_name);
  return serialize(made);
}

constexpr const char* kShop = R"(
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.0.1, selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: good}
spec: {hosts: [web], http: [{match: [{uri: {prefix: /bad}}], route: [{destination: {host: web}}]}, {route: [{destination: {host: web}}]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: other-team}
spec: {hosts: [Web, other.example], http: [{route: [{destination: {host: web}}]}]}
)";

TEST(Proof, a_stored_rule_that_no_proxy_accepts_costs_its_own_route_and_no_other) {
  auto objects = stored(kShop);
  for (api::ObjectPtr& object : objects) {
    if (object->name() != "good") continue;
    api::Object changed = *object;
    changed.body["spec"]["http"][0]["headers"]["request"]["set"]["x-discount"] = "100%";
    object = std::make_shared<const api::Object>(std::move(changed));
  }
  const auto push = std::make_shared<const PushContext>(
      std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, std::move(objects))));
  ProxyIdentity sidecar;
  sidecar.ns = "default";
  Translator translator;
  translator.update(push);
  const ResourceSet set = *translator.translate(sidecar);
  for (Type type : kAllTypes)
    for (const ResourcePtr& each : set[type])
      EXPECT_TRUE(complaints_of(type, each->message()).empty()) << short_name(type) << " " << each->name;
  route::RouteConfiguration table;
  ASSERT_TRUE(set[Type::kRoute].contains("80"));
  ASSERT_TRUE(table.ParseFromString(set[Type::kRoute].find("80")->message()));
  ASSERT_GE(table.virtual_hosts_size(), 2);
  const auto& web = table.virtual_hosts(0);
  ASSERT_EQ(web.routes_size(), 2);
  EXPECT_EQ(web.routes(0).direct_response().status(), 500u);
  EXPECT_EQ(web.routes(0).match().prefix(), "/bad");
  EXPECT_TRUE(web.routes(1).has_route());
}

TEST(Proof, equal_resources_are_one_and_what_is_not_used_is_forgotten) {
  Proof proof;
  const auto endpoints = [](int i) {
    return std::make_shared<const Resource>(
        Resource{"c" + std::to_string(i), assignment("c" + std::to_string(i))});
  };
  const ResourcePtr kept = proof.sound(Type::kEndpoint, endpoints(0));
  ASSERT_TRUE(kept);
  EXPECT_EQ(proof.sound(Type::kEndpoint, endpoints(0)), kept);
  for (int i = 1; i < 100'000; ++i) proof.sound(Type::kEndpoint, endpoints(i));
  EXPECT_LT(proof.size(), 5000u);
  EXPECT_EQ(proof.sound(Type::kEndpoint, endpoints(0)), kept);
}

// --- random objects

/// Objects that schemas mostly allow: values are drawn from what users write and from what breaks messages.
class Maker {
 public:
  explicit Maker(std::uint32_t seed) : random_(seed) {}

  api::Json rule() {
    return {{"apiVersion", "networking.istio.io/v1"},
            {"kind", "VirtualService"},
            {"metadata", {{"name", "r"}, {"namespace", "default"}}},
            {"spec", {{"hosts", {pick({"web", "Web", "other.example", "*.example"})}}, {"http", list(3, [&] {
                                                                                          return http();
                                                                                        })}}}};
  }
  api::Json http_route() {
    api::Json parent = {{"name", "g"}};
    return {{"apiVersion", "gateway.networking.k8s.io/v1"},
            {"kind", "HTTPRoute"},
            {"metadata", {{"name", "h"}, {"namespace", "default"}}},
            {"spec",
             {{"parentRefs", api::Json::array({parent})}, {"rules", list(3, [&] { return api_rule(); })}}}};
  }
  api::Json destination_rule() {
    return {{"apiVersion", "networking.istio.io/v1"},
            {"kind", "DestinationRule"},
            {"metadata", {{"name", "d"}, {"namespace", "default"}}},
            {"spec",
             {{"host", "web"},
              {"trafficPolicy",
               {{"loadBalancer", {{"simple", pick({"RANDOM", "PASSTHROUGH", "ROUND_ROBIN"})}}},
                {"connectionPool",
                 {{"tcp", {{"maxConnections", number()}, {"connectTimeout", duration()}}},
                  {"http", {{"idleTimeout", duration()}, {"maxRequestsPerConnection", number()}}}}}}}}}};
  }
  api::Json ingress() {
    api::Json path = {{"path", text()}, {"pathType", pick({"Exact", "Prefix"})}};
    path["backend"]["service"] = {{"name", "web"}, {"port", {{"number", 80}}}};
    api::Json one = {{"host", pick({"web", "shop.example", "*.example"})}};
    one["http"]["paths"] = api::Json::array({path});
    return {{"apiVersion", "networking.k8s.io/v1"},
            {"kind", "Ingress"},
            {"metadata", {{"name", "i"}, {"namespace", "default"}}},
            {"spec", {{"rules", api::Json::array({one})}}}};
  }
  api::Json gateway() {
    api::Json server = {{"port", {{"number", number()}, {"name", "p"}, {"protocol", "HTTP"}}},
                        {"hosts", {"*"}}};
    return {{"apiVersion", "networking.istio.io/v1"},
            {"kind", "Gateway"},
            {"metadata", {{"name", "g"}, {"namespace", "default"}}},
            {"spec", {{"selector", {{"istio", "ingressgateway"}}}, {"servers", api::Json::array({server})}}}};
  }

 private:
  bool chance(int of) { return random_() % static_cast<unsigned>(of) == 0; }
  std::string pick(std::initializer_list<const char*> from) {
    return *std::next(from.begin(), static_cast<std::ptrdiff_t>(random_() % from.size()));
  }
  template <class Make>
  api::Json list(unsigned most, Make make) {
    api::Json made = api::Json::array();
    for (unsigned i = 0; i <= random_() % most; ++i) made.push_back(make());
    return made;
  }
  std::int64_t number() {
    constexpr std::int64_t kSome[] = {0, 1, 80, 8080, 15000, 15021, 65535, 2147483647};
    return kSome[random_() % std::size(kSome)];
  }
  std::string duration() { return pick({"0s", "1ms", "3s", "1h", "87600h", "0.5ms", "x"}); }
  std::string text() {
    return pick({"/",         "/a",   "/a?b=c", "/a b",     "/a#b",      "a",
                 "",          "100%", "%%",     "%REQ(x)%", "%NOSUCH%",  "a\nb",
                 "a\r\nb: c", "(",    "(a)|b",  "/a/",      "/\xc3\xa4", "%DOWNSTREAM_REMOTE_ADDRESS%",
                 "x y",       "a:b",  "\\1",    "\\9"});
  }
  std::string name() {
    return pick({"x-a", "Host", ":authority", ":path", "te", "a b", "x_b", "content-length"});
  }
  api::Json string_match() { return {{pick({"exact", "prefix", "regex"}), text()}}; }
  api::Json operations() {
    api::Json made = api::Json::object();
    for (const char* what : {"set", "add"})
      if (chance(2)) made[what][name()] = text();
    if (chance(4)) made["remove"] = {name()};
    return made;
  }
  api::Json headers() {
    api::Json made = api::Json::object();
    if (chance(2)) made["request"] = operations();
    if (chance(3)) made["response"] = operations();
    return made;
  }
  api::Json destination(bool weighted) {
    api::Json made = {{"destination", {{"host", pick({"web", "a.b", "gone"})}, {"port", {{"number", 80}}}}}};
    if (weighted) made["weight"] = number();
    if (chance(3)) made["headers"] = headers();
    return made;
  }
  api::Json http() {
    api::Json made = api::Json::object();
    if (chance(2))
      made["match"] = list(2, [&] {
        api::Json match = {{"uri", string_match()}};
        if (chance(3)) match["headers"][name()] = string_match();
        if (chance(4)) match["queryParams"]["q"] = string_match();
        return match;
      });
    if (chance(5)) {
      made["redirect"] = {{"uri", text()}, {"authority", pick({"a", "a b", "a\n", "a:80"})}};
    } else if (chance(6)) {
      made["directResponse"] = {{"status", 200 + number() % 500}, {"body", {{"string", text()}}}};
    } else {
      const bool weighted = chance(2);
      made["route"] =
          weighted ? list(3, [&] { return destination(true); }) : api::Json::array({destination(false)});
      if (chance(3)) made["rewrite"] = {{"uri", text()}, {"authority", pick({"a", "a b", "a%", "a\r\n"})}};
      if (chance(3)) made["timeout"] = duration();
      if (chance(3))
        made["retries"] = {{"attempts", number()},
                           {"retryOn", pick({"5xx", "reset,503", "retriable-headers", "cancelled", "x"})},
                           {"backoff", duration()}};
    }
    if (chance(3)) made["headers"] = headers();
    if (chance(4))
      made["fault"] = {{"delay", {{"fixedDelay", duration()}, {"percentage", {{"value", 0.5}}}}},
                       {"abort", {{"httpStatus", 200 + number() % 500}, {"percentage", {{"value", 1}}}}}};
    return made;
  }
  api::Json api_rule() {
    api::Json made = api::Json::object();
    made["matches"] = list(2, [&] {
      api::Json path = {{"type", pick({"Exact", "PathPrefix", "RegularExpression"})}, {"value", text()}};
      return api::Json{{"path", path}};
    });
    api::Json filters = api::Json::array();
    if (chance(2)) {
      api::Json header = {{"name", name()}, {"value", text()}};
      filters.push_back({{"type", "RequestHeaderModifier"},
                         {"requestHeaderModifier", {{"set", api::Json::array({header})}}}});
    }
    api::Json change = chance(2) ? api::Json{{"type", "ReplaceFullPath"}, {"replaceFullPath", text()}}
                                 : api::Json{{"type", "ReplacePrefixMatch"}, {"replacePrefixMatch", text()}};
    if (chance(3))
      filters.push_back({{"type", "URLRewrite"}, {"urlRewrite", {{"path", change}}}});
    else if (chance(3))
      filters.push_back({{"type", "RequestRedirect"}, {"requestRedirect", {{"path", change}}}});
    made["filters"] = filters;
    return made;
  }

  std::mt19937 random_;
};

TEST(ObjectCheckProperty, whatever_is_admitted_every_proxy_accepts_as_translated) {
  std::size_t admitted = 0, turned_away = 0;
  const auto base = stored(kShop);
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    Maker maker(seed);
    std::vector<api::ObjectPtr> objects = base;
    for (api::Json body :
         {maker.rule(), maker.http_route(), maker.destination_rule(), maker.ingress(), maker.gateway()}) {
      auto taken = api::admit(std::move(body), check_object);
      ++(taken ? admitted : turned_away);
      if (taken) objects.push_back(std::make_shared<const api::Object>(std::move(*taken)));
    }
    if (objects.size() == base.size()) continue;
    const PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, std::move(objects))));
    ProxyIdentity sidecar, gateway;
    sidecar.ns = "default";
    gateway = {ProxyIdentity::Kind::kGateway, "istio-system", "gw", "", {{"istio", "ingressgateway"}}};
    for (const ProxyIdentity& proxy : {sidecar, gateway}) {
      const ResourceSet set = translate(push, proxy);
      for (Type type : kAllTypes)
        for (const ResourcePtr& each : set[type])
          for (const std::string& complaint : complaints_of(type, each->message()))
            // Two objects may want the same domain; which of them has it is not a matter of one of them.
            EXPECT_NE(complaint.find("is there twice"), complaint.npos)
                << "seed " << seed << ": " << short_name(type) << " " << each->name << ": " << complaint;
    }
  }
  EXPECT_GT(admitted, 20u);
  EXPECT_GT(turned_away, 20u);
}

}  // namespace
}  // namespace weft::control

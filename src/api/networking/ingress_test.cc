#include "api/networking/ingress.h"

#include <gtest/gtest.h>

#include "api/testing/spec.h"

namespace weft::api::networking {
namespace {

TEST(IngressReading, rules_have_paths_with_a_type_a_backend_and_a_place) {
  const Parsed parsed = testing::file("networking.k8s.io/v1", "Ingress", R"(  ingressClassName: istio
  defaultBackend: {service: {name: fallback, port: {name: web}}}
  rules:
  - host: Shop.example
    http:
      paths:
      - {path: /a, pathType: Exact, backend: {service: {name: a, port: {number: 80}}}}
      - {path: /b, pathType: Prefix, backend: {service: {name: b, port: {name: http}}}}
  - http:
      paths:
      - {path: /c, pathType: ImplementationSpecific, backend: {service: {name: c, port: {number: 81}}}}
)");
  const Ingress made = read_ingress(parsed.objects[0].spec());
  EXPECT_EQ(made.class_name, "istio");
  ASSERT_TRUE(made.default_backend);
  EXPECT_EQ(made.default_backend->service, "fallback");
  EXPECT_EQ(std::get<std::string>(made.default_backend->port), "web");
  ASSERT_EQ(made.rules.size(), 2u);
  EXPECT_EQ(made.rules[0].host, "shop.example");
  EXPECT_EQ(made.rules[1].host, "*");
  ASSERT_EQ(made.rules[0].paths.size(), 2u);
  const IngressPath &a = made.rules[0].paths[0], &b = made.rules[0].paths[1];
  EXPECT_EQ(a.path, "/a");
  EXPECT_EQ(a.type, IngressPath::Type::kExact);
  EXPECT_EQ(std::get<std::uint16_t>(a.backend->port), 80);
  EXPECT_EQ(b.type, IngressPath::Type::kPrefix);
  EXPECT_EQ(std::get<std::string>(b.backend->port), "http");
  EXPECT_EQ(b.where.to_string(), "spec.rules[0].http.paths[1]");
  EXPECT_EQ(parsed.origins[0].place(b.where.to_string()), "f.yaml:12");
  EXPECT_EQ(to_string(made.rules[1].paths.at(0).type), "Exact");
}

TEST(IngressReading, an_implementations_own_path_is_exact_but_for_a_wildcard_at_its_end) {
  const struct {
    const char* path;
    const char* read;
  } rows[] = {{"{pathType: ImplementationSpecific}", "Prefix /"},
              {"{pathType: ImplementationSpecific, path: '*'}", "Prefix /"},
              {"{pathType: ImplementationSpecific, path: '/*'}", "Prefix /"},
              {"{pathType: ImplementationSpecific, path: '/.*'}", "Prefix /"},
              {"{pathType: ImplementationSpecific, path: '/a/*'}", "Prefix /a"},
              {"{pathType: ImplementationSpecific, path: '/a/.*'}", "Prefix /a/"},
              {"{pathType: ImplementationSpecific, path: '/a.*'}", "Prefix /a"},
              {"{pathType: ImplementationSpecific, path: '/a*'}", "Exact /a*"},
              {"{pathType: ImplementationSpecific, path: /}", "Exact /"},
              {"{path: '/a/*'}", "Prefix /a"},
              {"{pathType: Strange, path: /a}", "Exact /a"},
              {"{pathType: Prefix, path: '/a/*'}", "Prefix /a/*"},
              {"{pathType: Exact, path: '/a/*'}", "Exact /a/*"}};
  for (const auto& row : rows) {
    const Ingress made =
        read_ingress(testing::spec("rules: [{http: {paths: [" + std::string(row.path) + "]}}]"));
    const IngressPath& path = made.rules.at(0).paths.at(0);
    EXPECT_EQ(std::string(to_string(path.type)) + " " + path.path, row.read) << row.path;
  }
}

TEST(IngressReading, a_backend_that_is_wrong_names_no_port) {
  const struct {
    const char* backend;
    bool there;
    const char* service;
  } rows[] = {{"{}", false, ""},
              {"null", false, ""},
              {"5", false, ""},
              {"{resource: {}}", true, ""},
              {"{service: a}", true, ""},
              {"{service: {name: a}}", true, "a"},
              {"{service: {name: a, port: 80}}", true, "a"},
              {"{service: {name: a, port: {number: 70000, name: ''}}}", true, "a"}};
  for (const auto& row : rows) {
    const Ingress made = read_ingress(testing::spec("defaultBackend: " + std::string(row.backend)));
    EXPECT_EQ(made.default_backend.has_value(), row.there) << row.backend;
    if (!row.there || !made.default_backend) continue;
    EXPECT_EQ(made.default_backend->service, row.service) << row.backend;
    EXPECT_EQ(std::get<std::uint16_t>(made.default_backend->port), 0) << row.backend;
  }
}

TEST(IngressReading, places_stay_what_they_are_beside_what_is_wrong) {
  const Ingress made =
      read_ingress(testing::spec("rules: [5, {http: [], host: 7}, {http: {paths: [null, {path: /x}]}}]"));
  ASSERT_EQ(made.rules.size(), 3u);
  EXPECT_EQ(made.rules[1].host, "*");
  EXPECT_EQ(made.rules[2].paths.at(1).where.to_string(), "spec.rules[2].http.paths[1]");
  EXPECT_EQ(read_ingress_class(testing::spec("controller: c")).controller, "c");
  EXPECT_EQ(read_ingress_class(testing::spec("controller: 5")).controller, "");
}

}  // namespace
}  // namespace weft::api::networking

#include "api/convert.h"

#include <gtest/gtest.h>

#include "api/parse.h"
#include "api/yaml.h"

namespace weft::api {
namespace {

TEST(Convert, a_bookinfo_file_in_the_form_of_2017_becomes_todays_objects) {
  constexpr const char* kOld = R"(
apiVersion: v1
kind: Service
metadata:
  name: productpage
  labels:
    app: productpage
spec:
  ports:
  - port: 9080
    name: http
  selector:
    app: productpage
---
apiVersion: extensions/v1beta1
kind: Deployment
metadata:
  name: productpage-v1
spec:
  replicas: 1
  template:
    metadata:
      labels:
        app: productpage
        version: v1
    spec:
      containers:
      - name: productpage
        image: example/productpage-v1:0.2.3
        imagePullPolicy: IfNotPresent
        ports:
        - containerPort: 9080
---
apiVersion: extensions/v1beta1
kind: Ingress
metadata:
  name: gateway
  annotations:
    kubernetes.io/ingress.class: "istio"
spec:
  rules:
  - http:
      paths:
      - path: /productpage
        backend:
          serviceName: productpage
          servicePort: 9080
      - path: /static.*
        backend:
          serviceName: productpage
          servicePort: http
      - path: /api/v1/products/.*
        backend:
          serviceName: productpage
          servicePort: 9080
---
)";
  Parsed parsed = parse_objects(kOld, "bookinfo.yaml");
  for (const Problem& problem : parsed.problems) ADD_FAILURE() << problem.to_string();
  ASSERT_EQ(parsed.written.size(), 3u);
  EXPECT_EQ(to_yaml(parsed.written[1]), R"(apiVersion: apps/v1
kind: Deployment
metadata:
  labels:
    app: productpage
    version: v1
  name: productpage-v1
  namespace: default
spec:
  replicas: 1
  selector:
    matchLabels:
      app: productpage
      version: v1
  template:
    metadata:
      labels:
        app: productpage
        version: v1
    spec:
      containers:
      - image: example/productpage-v1:0.2.3
        imagePullPolicy: IfNotPresent
        name: productpage
        ports:
        - containerPort: 9080
)");
  EXPECT_EQ(to_yaml(parsed.written[2]), R"(apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  annotations:
    kubernetes.io/ingress.class: istio
  name: gateway
  namespace: default
spec:
  rules:
  - http:
      paths:
      - backend:
          service:
            name: productpage
            port:
              number: 9080
        path: /productpage
        pathType: ImplementationSpecific
      - backend:
          service:
            name: productpage
            port:
              name: http
        path: /static
        pathType: Prefix
      - backend:
          service:
            name: productpage
            port:
              number: 9080
        path: /api/v1/products/
        pathType: Prefix
)");
  ASSERT_EQ(parsed.notes.size(), 2u);
  EXPECT_EQ(
      parsed.notes[0],
      "bookinfo.yaml:48: spec.rules[0].http.paths[1].path: \"/static.*\" is read as the prefix /static");
}

std::string first_problem(std::string_view text) {
  auto problems = parse_objects(text, "f").problems;
  return problems.empty() ? "none" : problems[0].to_string();
}

std::string ingress(std::string_view path) {
  return "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: a}\nspec:\n  rules:\n  - http:\n   "
         "   paths:\n"
         "      - path: " +
         std::string(path) + "\n        backend: {serviceName: s, servicePort: 80}\n";
}

TEST(Convert, a_port_of_digits_in_quotes_is_a_number) {
  const auto port = [](const char* written) {
    const Parsed parsed = parse_objects(
        "apiVersion: networking.k8s.io/v1beta1\nkind: Ingress\nmetadata: {name: a}\nspec:\n  backend: "
        "{serviceName: s, servicePort: " +
            std::string(written) + "}\n",
        "f");
    if (!parsed.problems.empty()) return parsed.problems[0].to_string();
    return parsed.objects[0].spec()["defaultBackend"]["service"]["port"].dump() + " " +
           (parsed.notes.empty() ? "" : parsed.notes[0]);
  };
  EXPECT_EQ(port("\"80\""), R"({"number":80} f:5: spec.backend.servicePort: "80" is read as the number 80)");
  EXPECT_EQ(port("80"), R"({"number":80} )");
  EXPECT_EQ(port("http"), R"({"name":"http"} )");
  EXPECT_EQ(port("80-b"), R"({"name":"80-b"} )");
}

TEST(Convert, patterns_that_are_not_a_prefix_are_rejected) {
  EXPECT_EQ(first_problem(ingress("/.*")), "none");
  EXPECT_EQ(first_problem(ingress("/a/*")), "none");
  EXPECT_EQ(first_problem(ingress("/a(b)+$")), "none");
  for (const char* path : {"/a*", "/a.*/*", "/a.*b", "/a[0-9]", "'/a|b'", "/a\\d", "^/a", "'/a?'"})
    EXPECT_NE(first_problem(ingress(path)), "none") << path;
  EXPECT_EQ(first_problem(ingress("/a.*/b")),
            "f:8: spec.rules[0].http.paths[0].path: \"/a.*/b\": must be a path without a pattern, or one "
            "that ends with /* or .*");
}

TEST(Convert, a_path_that_says_nothing_is_every_path) {
  for (const char* written : {"", "path: '', "}) {
    const Parsed parsed = parse_objects(
        "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: a}\nspec: {rules: [{http: {paths: "
        "[{" +
            std::string(written) + "backend: {serviceName: s, servicePort: 80}}]}}]}\n",
        "f");
    ASSERT_TRUE(parsed.problems.empty()) << parsed.problems[0].to_string();
    const Json& path = parsed.objects[0].spec()["rules"][0]["http"]["paths"][0];
    EXPECT_EQ(path["path"], "/");
    EXPECT_EQ(path["pathType"], "Prefix");
  }
  const auto of_today = [](const std::string& type) {
    return first_problem(
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec: {rules: [{http: {paths: "
        "[{path: '', pathType: " +
        type + ", backend: {service: {name: s, port: {number: 80}}}}]}}]}\n");
  };
  EXPECT_EQ(of_today("ImplementationSpecific"), "none");
  EXPECT_EQ(of_today("Exact"), "f:4: spec.rules[0].http.paths[0].path: is required with pathType Exact");
}

TEST(Convert, problems_of_converted_objects_still_have_their_lines) {
  EXPECT_EQ(
      first_problem(
          "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n"
          "      containers:\n      - name: c\n        image: i\n        volumeMounts:\n"
          "        - {name: v, mountPath: /v}\n"),
      "f:11: spec.template.spec.containers[0].volumeMounts[0].name: \"v\": must be the name of one of the "
      "pod's "
      "volumes");
  EXPECT_EQ(first_problem(
                "apiVersion: networking.k8s.io/v1beta1\nkind: Ingress\nmetadata: {name: a}\nspec:\n  rules:\n"
                "  - http:\n      paths:\n      - path: /a\n        backend: {service: {name: a}}\n"),
            "f:9: spec.rules[0].http.paths[0].backend.service: unknown field; here may stand: serviceName, "
            "servicePort");
}

TEST(Convert, a_selector_that_is_there_is_kept) {
  Parsed parsed = parse_objects(
      "apiVersion: apps/v1beta2\nkind: Deployment\nmetadata: {name: a, labels: {x: z}}\nspec:\n  selector: "
      "{matchLabels: "
      "{x: w}}\n  template:\n    metadata: {labels: {x: w, q: r}}\n    spec: {containers: [{name: c, image: "
      "i}]}\n",
      "f");
  ASSERT_TRUE(parsed.problems.empty()) << parsed.problems[0].to_string();
  EXPECT_EQ(parsed.objects[0].spec()["selector"]["matchLabels"].dump(), R"({"x":"w"})");
  EXPECT_EQ(parsed.objects[0].label("x"), "z");
}

}  // namespace
}  // namespace weft::api

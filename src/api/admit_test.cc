#include "api/admit.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace weft::api {
namespace {

constexpr const char* kService =
    R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"7",
        "creationTimestamp":null},"spec":{"ports":[{"port":80}]},"status":{"x":1}})";

TEST(Admit, defaults_and_keeps_what_a_server_set) {
  auto object = admit(Json::parse(kService));
  ASSERT_TRUE(object) << object.error().text;
  EXPECT_EQ(object->key().to_string(), "service n/a");
  EXPECT_EQ(object->resource_version(), 7u);
  EXPECT_EQ(object->uid(), "u");
  EXPECT_EQ(object->status().size(), 1u);
  EXPECT_EQ(object->spec()["type"], "ClusterIP");
  EXPECT_FALSE(object->body["metadata"].contains("creationTimestamp"));
}

TEST(Admit, what_was_admitted_is_admitted_again_unchanged) {
  const char* bodies[] = {
      kService,
      R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"selector":{"matchLabels":{"a":"b"}},
        "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":1}],
        "readinessProbe":{"httpGet":{"port":1}}}]}}}})",
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"i"}]}})",
      R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"stringData":{"k":"value"}})",
      R"({"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"a"},"addressType":"IPv4",
        "endpoints":[{"addresses":["10.0.0.1"]}],"ports":[{"port":1}]})",
      R"({"apiVersion":"extensions/v1beta1","kind":"Ingress","metadata":{"name":"a"},"spec":{"backend":{"serviceName":"s",
        "servicePort":80}}})",
  };
  for (const char* body : bodies) {
    auto once = admit(Json::parse(body));
    ASSERT_TRUE(once) << once.error().text;
    auto twice = admit(once->body);
    ASSERT_TRUE(twice) << twice.error().text;
    EXPECT_EQ(once->body, twice->body);
  }
}

TEST(Admit, of_a_stored_object_every_problem_is_found_or_the_whole_of_it_is_one) {
  const auto gateway_with = [](int servers) {
    Object object;
    object.kind = find_kind("networking.istio.io/v1", "Gateway");
    object.body = {{"spec", {{"selector", {{"a", "b"}}}, {"servers", Json::array()}}}};
    for (int i = 0; i < servers; ++i)
      object.body["spec"]["servers"].push_back(
          {{"hosts", {"*"}},
           {"bind", "127.0.0.1"},
           {"port", {{"number", 80}, {"name", "a"}, {"protocol", "HTTP"}}}});
    return object;
  };
  const auto concerned = [](const std::vector<Problem>& problems, int server) {
    const Place place = Place().at(List::kServers, static_cast<std::size_t>(server));
    return std::ranges::any_of(problems, [&](const Problem& each) { return concerns(each, place); });
  };
  for (const int count : {1, 50, 5000}) {
    const std::vector<Problem> problems = problems_of(gateway_with(count));
    EXPECT_LE(problems.size(), 1001u);
    for (const int server : {0, count - 1})
      EXPECT_TRUE(concerned(problems, server)) << count << " " << server;
    EXPECT_EQ(concerned(problems, count), count == 5000);
  }
}

TEST(Admit, rejections_tell_apart_wrong_unknown_and_not_supported) {
  auto error = [](const char* body) { return admit(Json::parse(body)).error(); };
  Error wrong = error(R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"A"},"spec":{"prots":1}})");
  EXPECT_EQ(wrong.code, Code::kInvalid);
  EXPECT_EQ(wrong.text,
            "metadata.name: \"A\": must be a DNS name: lower-case letters, digits, '-' and '.', at most 253, "
            "a letter or "
            "digit at both ends; spec.prots: unknown field; did you mean \"ports\"?");
  EXPECT_EQ(error(R"({"apiVersion":"v1","kind":"Servcie","metadata":{"name":"a"}})").code, Code::kNotFound);
  EXPECT_EQ(error(R"({"apiVersion":"apps/v1","kind":"DaemonSet"})").code, Code::kNotFound);
  Error later = error(
      R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"ports":[{"port":1}],"externalIPs":["1.1.1.1"]}})");
  EXPECT_EQ(later.code, Code::kUnsupported);
  for (const char* body :
       {"null", "[]", "1", "{}", R"({"kind":1})", R"({"apiVersion":"v1","kind":"Service"})",
        R"({"apiVersion":"v1","kind":"Service","metadata":1,"spec":2})"})
    EXPECT_EQ(error(body).code, Code::kInvalid) << body;
}

TEST(Admit, a_body_nested_without_end_is_rejected) {
  Json deep = 1;
  for (int i = 0; i < 5000; ++i) deep = Json::array({std::move(deep)});
  Json body = Json::parse(kService);
  body["status"] = std::move(deep);
  auto rejected = admit(std::move(body));
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().text, "the object is nested more than 100 levels deep");
}

TEST(Admit, messages_of_long_and_foreign_texts_are_short_and_valid_utf8) {
  std::string umlauts;
  for (int i = 0; i < 5000; ++i) umlauts += "\xc3\xbc";
  Json body = Json::parse(kService);
  body["spec"]["x" + umlauts] = 1;
  body["spec"]["type"] = umlauts;
  body["metadata"]["name"] = umlauts;
  auto rejected = admit(body);
  ASSERT_FALSE(rejected);
  EXPECT_LT(rejected.error().text.size(), 1000u);
  EXPECT_NO_THROW((void)Json(rejected.error().text).dump());
}

}  // namespace
}  // namespace weft::api

#include "api/object.h"

#include <gtest/gtest.h>

#include "api/schema/schema.h"

namespace weft::api {
namespace {

TEST(Kinds, are_found_by_what_people_type) {
  for (const char* typed : {"vs", "VS", "VirtualService", "virtualservices", "virtualservice",
                            "virtualservices.networking.istio.io"})
    EXPECT_EQ(find_kind_by_name(typed) ? find_kind_by_name(typed)->kind : "", "VirtualService") << typed;
  for (const char* typed : {"", "v", "virtualservices.apps", "secretss", "."})
    EXPECT_EQ(find_kind_by_name(typed), nullptr) << typed;
  EXPECT_EQ(find_kind_by_name("services.")->kind, "Service");
}

TEST(Kinds, are_found_by_the_version_of_a_file_and_by_rest_path) {
  EXPECT_EQ(find_kind("extensions/v1beta1", "Ingress")->api_version(), "networking.k8s.io/v1");
  EXPECT_EQ(find_kind("networking.istio.io/v1alpha3", "Gateway")->api_version(), "networking.istio.io/v1");
  EXPECT_EQ(find_kind("v1", "Service")->api_version(), "v1");
  EXPECT_EQ(find_kind("v1", "Deployment"), nullptr);
  EXPECT_EQ(find_kind("/v1", "Service"), nullptr);
  EXPECT_EQ(find_kind("apps/v2", "Deployment"), nullptr);
  EXPECT_EQ(find_kind_by_plural("apps", "deployments")->kind, "Deployment");
  EXPECT_EQ(find_kind_by_plural("", "deployments"), nullptr);
}

TEST(Kinds, each_has_names_of_its_own_and_a_schema) {
  for (const KindInfo& info : kinds()) {
    EXPECT_NE(find_schema(info.api_version(), info.kind), nullptr) << info.kind;
    EXPECT_EQ(find_kind(info.api_version(), info.kind), &info);
    const std::string group = "." + std::string(info.group);
    EXPECT_EQ(find_kind_by_name(std::string(info.plural) + group), &info);
    EXPECT_EQ(find_kind_by_name(std::string(info.singular) + group), &info);
    if (!info.short_name.empty()) EXPECT_EQ(find_kind_by_name(info.short_name), &info);
  }
}

TEST(Kinds, a_gateway_is_istios_unless_the_group_or_the_short_name_says_otherwise) {
  for (const char* typed : {"gateway", "gateways", "gw", "gateway.networking.istio.io"})
    EXPECT_EQ(find_kind_by_name(typed)->group, "networking.istio.io") << typed;
  for (const char* typed : {"gtw", "gateways.gateway.networking.k8s.io"})
    EXPECT_EQ(find_kind_by_name(typed)->group, "gateway.networking.k8s.io") << typed;
  EXPECT_EQ(find_kind("gateway.networking.k8s.io/v1beta1", "Gateway"), find_kind_by_name("gtw"));
  EXPECT_EQ(find_kind("gateway.networking.k8s.io/v1", "ReferenceGrant")->version, "v1beta1");
}

TEST(Object, is_read_whatever_its_body_is) {
  Object object{find_kind("v1", "Service"), Json::parse(R"({"metadata":{"name":"a","namespace":"n","uid":"u",
    "resourceVersion":"42","generation":3,"labels":{"x":"y","n":1},"annotations":{"k":"v"}},"spec":{"a":1}})")};
  EXPECT_EQ(object.key().to_string(), "service n/a");
  EXPECT_EQ(object.uid(), "u");
  EXPECT_EQ(object.resource_version(), 42u);
  EXPECT_EQ(object.generation(), 3u);
  EXPECT_EQ(object.label("x"), "y");
  EXPECT_EQ(object.label("z"), "");
  EXPECT_EQ(object.annotation("k"), "v");
  EXPECT_EQ(object.labels().size(), 1u);
  EXPECT_EQ(object.spec().size(), 1u);
  EXPECT_TRUE(object.status().empty());
  for (const char* body :
       {"null", "[]", "{}", R"({"metadata":1,"spec":[]})", R"({"metadata":{"name":1,"labels":[]}})"}) {
    Object odd{nullptr, Json::parse(body)};
    EXPECT_EQ(odd.name(), "");
    EXPECT_EQ(odd.resource_version(), 0u);
    EXPECT_TRUE(odd.labels().empty());
    EXPECT_TRUE(odd.spec().empty());
    EXPECT_EQ(odd.key().to_string(), "object ");
  }
}

}  // namespace
}  // namespace weft::api

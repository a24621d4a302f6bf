#include "store/kubernetes/trim.h"

#include <gtest/gtest.h>

namespace weft::store {
namespace {

using api::Json;

const api::KindInfo& kind(const char* api_version, const char* name) {
  return *api::find_kind(api_version, name);
}

Json pod() {
  return Json::parse(R"({
    "metadata": {"name": "p", "labels": {"app": "x"}, "managedFields": [{"manager": "kubelet"}],
                 "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "mine": "1"}},
    "spec": {"volumes": [{"name": "v"}], "nodeName": "n", "serviceAccountName": "a",
             "containers": [{"name": "one", "image": "i", "env": [{"name": "A", "value": "b"}], "ports": [{"containerPort": 1}]},
                            {"name": "two", "image": "j", "args": ["x"]}]},
    "status": {"podIP": "10.0.0.1", "containerStatuses": [{"name": "one", "ready": true, "imageID": "sha"}]}})");
}

TEST(Trim, leaves_what_the_mesh_reads_of_a_pod) {
  Json body = pod();
  trim(body, kind("v1", "Pod"));
  EXPECT_EQ(body, Json::parse(R"({
    "metadata": {"name": "p", "labels": {"app": "x"}, "annotations": {"mine": "1"}, "managedFields": []},
    "spec": {"nodeName": "n", "serviceAccountName": "a",
             "containers": [{"name": "one", "image": "i", "ports": [{"containerPort": 1}]}, {"name": "two", "image": "j"}]},
    "status": {"podIP": "10.0.0.1", "containerStatuses": [{"name": "one", "ready": true}]}})"));
}

TEST(Trim, a_deployment_that_the_mesh_made_stays_whole) {
  const auto trimmed = [](const char* labels) {
    Json body = Json::parse(
        R"({"metadata": {"name": "d"}, "spec": {"replicas": 1, "template": {"spec": {"containers": []}}}})");
    body["metadata"]["labels"] = Json::parse(labels);
    trim(body, kind("apps/v1", "Deployment"));
    return body["spec"]["template"].contains("spec");
  };
  EXPECT_TRUE(trimmed(R"({"gateway.istio.io/managed": "istio.io-gateway-controller"})"));
  EXPECT_FALSE(trimmed(R"({"app": "x"})"));
}

TEST(Trim, what_was_left_out_comes_back_and_changes_stay) {
  Json body = pod();
  trim(body, kind("v1", "Pod"));
  body["spec"]["containers"][0]["image"] = "new";
  body["spec"]["containers"].erase(1);
  restore(body, pod(), kind("v1", "Pod"));
  const Json expected_env = pod()["spec"]["containers"][0]["env"];
  EXPECT_EQ(body["spec"]["containers"][0]["env"], expected_env);
  EXPECT_EQ(body["spec"]["containers"][0]["image"], "new");
  EXPECT_EQ(body["spec"]["containers"].size(), 1u);
  EXPECT_EQ(body["spec"]["volumes"].size(), 1u);
  EXPECT_EQ(body["metadata"]["annotations"].size(), 2u);
  EXPECT_FALSE(body["metadata"].contains("managedFields"));
}

TEST(Trim, a_field_that_the_writer_set_himself_is_not_put_back) {
  Json body = pod();
  trim(body, kind("v1", "Pod"));
  body["spec"]["volumes"] = Json::array();
  restore(body, pod(), kind("v1", "Pod"));
  EXPECT_TRUE(body["spec"]["volumes"].empty());
}

TEST(Trim, an_object_that_was_never_trimmed_says_what_is_to_be_absent) {
  Json body =
      Json::parse(R"({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "one", "image": "i"}]}})");
  const Json before = body;
  restore(body, pod(), kind("v1", "Pod"));
  EXPECT_EQ(body, before);
}

TEST(Trim, keeps_secrets_that_may_be_certificates_and_no_others) {
  for (const auto& [type, kept] :
       {std::pair("kubernetes.io/tls", true), std::pair("Opaque", true),
        std::pair("helm.sh/release.v1", false), std::pair("kubernetes.io/service-account-token", false)}) {
    Json body = {{"metadata", {{"name", "s"}}}, {"type", type}, {"data", {{"k", "dg=="}}}};
    const Json whole = body;
    trim(body, kind("v1", "Secret"));
    EXPECT_EQ(body.contains("data"), kept) << type;
    restore(body, whole, kind("v1", "Secret"));
    EXPECT_EQ(body, whole) << type;
  }
}

TEST(Trim, odd_shapes_are_left_alone) {
  for (const char* text :
       {"[]", "7", "{}", R"({"metadata":7,"spec":[]})", R"({"metadata":{},"spec":{"containers":{"a":1}}})",
        R"({"metadata":{},"spec":{"containers":[1,null,[]]}})"}) {
    Json body = Json::parse(text);
    const Json before = body;
    trim(body, kind("v1", "Pod"));
    EXPECT_EQ(body, before);
    restore(body, pod(), kind("v1", "Pod"));
  }
}

}  // namespace
}  // namespace weft::store

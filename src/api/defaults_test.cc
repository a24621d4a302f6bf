#include "api/defaults.h"

#include <gtest/gtest.h>

#include "api/admit.h"

namespace weft::api {
namespace {

nlohmann::json defaulted(const char* body) {
  auto object = admit(Json::parse(body));
  EXPECT_TRUE(object) << object.error().text;
  return object ? nlohmann::json::parse(object->body.dump()) : nlohmann::json();
}

TEST(Defaults, services_get_type_protocol_and_target_port) {
  auto body = defaulted(
      R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"ports":[{"name":"a","port":80},{"name":"b","port":81,"targetPort":"web"}]}})");
  EXPECT_EQ(body["spec"], nlohmann::json::parse(R"({"type":"ClusterIP","sessionAffinity":"None",
    "internalTrafficPolicy":"Cluster","ports":[{"name":"a","port":80,"protocol":"TCP","targetPort":80},
    {"name":"b","port":81,"protocol":"TCP","targetPort":"web"}]})"));
}

TEST(Defaults, deployments_and_their_pods_are_filled_in_as_kubernetes_does) {
  auto body = defaulted(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{
    "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"serviceAccountName":"s","containers":[
      {"name":"c","image":"registry:5000/c","ports":[{"containerPort":1}],"livenessProbe":{"httpGet":{"port":1}}},
      {"name":"d","image":"d:1"},{"name":"e","image":"e:latest"},{"name":"f","image":"f@sha256:0"}]}}}})");
  auto spec = body["spec"];
  EXPECT_EQ(spec["replicas"], 1);
  EXPECT_EQ(spec["revisionHistoryLimit"], 10);
  EXPECT_EQ(spec["strategy"],
            nlohmann::json::parse(
                R"({"type":"RollingUpdate","rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"}})"));
  auto pod = spec["template"]["spec"];
  EXPECT_EQ(pod["restartPolicy"], "Always");
  EXPECT_EQ(pod["dnsPolicy"], "ClusterFirst");
  EXPECT_EQ(pod["terminationGracePeriodSeconds"], 30);
  EXPECT_EQ(pod["serviceAccount"], "s");
  EXPECT_EQ(pod["containers"][0],
            nlohmann::json::parse(R"({"name":"c","image":"registry:5000/c","imagePullPolicy":"Always",
    "ports":[{"containerPort":1,"protocol":"TCP"}],"resources":{},"terminationMessagePath":"/dev/termination-log",
    "terminationMessagePolicy":"File","livenessProbe":{"httpGet":{"port":1,"path":"/","scheme":"HTTP"},"timeoutSeconds":1,
    "periodSeconds":10,"successThreshold":1,"failureThreshold":3}})"));
  EXPECT_EQ(pod["containers"][1]["imagePullPolicy"], "IfNotPresent");
  EXPECT_EQ(pod["containers"][2]["imagePullPolicy"], "Always");
  EXPECT_EQ(pod["containers"][3]["imagePullPolicy"], "IfNotPresent");
}

TEST(Defaults, what_is_written_is_left_alone) {
  auto body =
      defaulted(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":0,
    "strategy":{"type":"Recreate"},"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
    "spec":{"terminationGracePeriodSeconds":0,"containers":[{"name":"c","image":"i","imagePullPolicy":"Never"}]}}}})");
  EXPECT_EQ(body["spec"]["replicas"], 0);
  EXPECT_EQ(body["spec"]["strategy"].dump(), R"({"type":"Recreate"})");
  EXPECT_EQ(body["spec"]["template"]["spec"]["terminationGracePeriodSeconds"], 0);
  EXPECT_EQ(body["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"], "Never");
}

TEST(Defaults, texts_of_a_secret_become_base64) {
  auto body = defaulted(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"data":{"z":"eA=="},
    "stringData":{"e":"","a":"a","b":"ab","c":"abc","d":"\u00ff\n~~"}})");
  EXPECT_EQ(body["type"], "Opaque");
  EXPECT_FALSE(body.contains("stringData"));
  EXPECT_EQ(body["data"].dump(), R"({"a":"YQ==","b":"YWI=","c":"YWJj","d":"w78Kfn4=","e":"","z":"eA=="})");
}

TEST(Defaults, a_pod_has_a_service_account_and_a_slice_named_ports) {
  auto pod = defaulted(
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"i"}]}})");
  EXPECT_EQ(pod["spec"]["serviceAccountName"], "default");
  EXPECT_EQ(pod["metadata"]["namespace"], "default");
  auto slice =
      defaulted(R"({"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"a"},
    "addressType":"IPv4","endpoints":[],"ports":[{"port":1}]})");
  EXPECT_EQ(slice["ports"].dump(), R"([{"name":"","port":1,"protocol":"TCP"}])");
}

}  // namespace
}  // namespace weft::api

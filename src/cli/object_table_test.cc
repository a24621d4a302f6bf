#include "cli/object_table.h"

#include <gtest/gtest.h>

#include "cli/pod_summary.h"
#include "cli/testing/fake_console.h"

namespace weft::cli {
namespace {

api::Object object_of(const char* kind, const char* text) {
  api::Object object{api::find_kind_by_name(kind), api::Json::parse(text)};
  object.body["metadata"]["creationTimestamp"] = "2026-03-01T11:57:57Z";
  return object;
}

std::string table_of(const api::Object& object, TableStyle style = {}) {
  ObjectTable table(*object.kind, style);
  table.add(object, testing::FakeConsole().now_is);
  return table.take();
}

constexpr const char* kPod = R"({
  "metadata": {"name": "reviews-v1-5d8f-x", "namespace": "default", "labels": {"app": "reviews", "version": "v1"}},
  "spec": {"nodeName": "local", "containers": [{"name": "reviews"}]},
  "status": {"phase": "Running", "podIP": "10.244.0.7", "containerStatuses": [
    {"name": "reviews", "ready": true, "restartCount": 1, "state": {"running": {}},
     "lastState": {"terminated": {"finishedAt": "2026-03-01T11:59:30Z", "exitCode": 1}}},
    {"name": "istio-proxy", "ready": true, "restartCount": 0, "state": {"running": {}}}]}})";

TEST(ObjectTable, PrintsPodsAsKubectl) {
  const api::Object pod = object_of("pods", kPod);
  EXPECT_EQ(table_of(pod),
            "NAME                READY   STATUS    RESTARTS      AGE\n"
            "reviews-v1-5d8f-x   2/2     Running   1 (30s ago)   2m3s\n");
  EXPECT_EQ(table_of(pod, {.wide = true}),
            "NAME                READY   STATUS    RESTARTS      AGE    IP           NODE    NOMINATED NODE  "
            " READINESS GATES\n"
            "reviews-v1-5d8f-x   2/2     Running   1 (30s ago)   2m3s   10.244.0.7   local   <none>          "
            " <none>\n");
  EXPECT_EQ(
      table_of(pod, {.with_namespace = true, .with_labels = true, .with_type = true, .headers = false}),
      "default   pod/reviews-v1-5d8f-x   2/2   Running   1 (30s ago)   2m3s   app=reviews,version=v1\n");
}

TEST(ObjectTable, PrintsEachKindAsKubectl) {
  struct Case {
    const char* kind;
    const char* object;
    const char* table;
  };
  const Case cases[] = {
      {"services",
       R"({"metadata": {"name": "reviews"}, "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.3",
                       "ports": [{"port": 9080}, {"port": 80, "nodePort": 30080, "protocol": "TCP"}]}})",
       "NAME      TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)                 AGE\n"
       "reviews   ClusterIP   10.96.0.3    <none>        9080/TCP,80:30080/TCP   2m3s\n"},
      {"services",
       R"({"metadata": {"name": "in"}, "spec": {"type": "LoadBalancer", "clusterIP": "10.96.0.4", "ports": []}})",
       "NAME   TYPE           CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE\n"
       "in     LoadBalancer   10.96.0.4    <pending>     <none>    2m3s\n"},
      {"deployments", R"({"metadata": {"name": "reviews-v1"}, "spec": {"replicas": 3},
                          "status": {"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1}})",
       "NAME         READY   UP-TO-DATE   AVAILABLE   AGE\n"
       "reviews-v1   1/3     2            1           2m3s\n"},
      {"replicasets",
       R"({"metadata": {"name": "r-1"}, "spec": {"replicas": 2}, "status": {"replicas": 2, "readyReplicas": 1}})",
       "NAME   DESIRED   CURRENT   READY   AGE\nr-1    2         2         1       2m3s\n"},
      {"ingresses", R"({"metadata": {"name": "gateway"}, "spec": {"rules": [{"http": {}}]}})",
       "NAME      CLASS    HOSTS   ADDRESS   PORTS   AGE\ngateway   <none>   *                 80      "
       "2m3s\n"},
      {"gateways", R"({"metadata": {"name": "bookinfo-gateway"}, "spec": {}})",
       "NAME               AGE\nbookinfo-gateway   2m3s\n"},
      {"gateways.gateway.networking.k8s.io",
       R"({"metadata": {"name": "edge"}, "spec": {"gatewayClassName": "istio"}, "status": {"addresses":
           [{"value": "a"}, {"value": "b"}], "conditions": [{"type": "Programmed", "status": "True"}]}})",
       "NAME   CLASS   ADDRESS   PROGRAMMED   AGE\nedge   istio   a,b       True         2m3s\n"},
      {"gatewayclasses",
       R"({"metadata": {"name": "istio"}, "spec": {"controllerName": "istio.io/gateway-controller"}, "status":
           {"conditions": [{"type": "Accepted", "status": "True"}]}})",
       "NAME    CONTROLLER                    ACCEPTED   AGE\n"
       "istio   istio.io/gateway-controller   True       2m3s\n"},
      {"httproutes", R"({"metadata": {"name": "r"}, "spec": {"hostnames": ["a.b"]}})",
       "NAME   HOSTNAMES   AGE\nr      [\"a.b\"]     2m3s\n"},
      {"virtualservices",
       R"({"metadata": {"name": "bookinfo"}, "spec": {"gateways": ["bookinfo-gateway"], "hosts": ["*"]}})",
       "NAME       GATEWAYS               HOSTS   AGE\nbookinfo   [\"bookinfo-gateway\"]   [\"*\"]   2m3s\n"},
      {"destinationrules", R"({"metadata": {"name": "reviews"}, "spec": {"host": "reviews"}})",
       "NAME      HOST      AGE\nreviews   reviews   2m3s\n"},
      {"namespaces", R"({"metadata": {"name": "default"}, "status": {"phase": "Active"}})",
       "NAME      STATUS   AGE\ndefault   Active   2m3s\n"},
      {"secrets", R"({"metadata": {"name": "s"}, "type": "Opaque", "data": {"password": "c2VjcmV0"}})",
       "NAME   TYPE     DATA   AGE\ns      Opaque   1      2m3s\n"},
      {"configmaps", R"({"metadata": {"name": "c"}, "data": {"a": "b"}, "binaryData": {"c": ""}})",
       "NAME   DATA   AGE\nc      2      2m3s\n"},
      {"endpointslices", R"({"metadata": {"name": "e"}, "addressType": "IPv4", "ports": [{"port": 9080}],
                             "endpoints": [{"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2"]}, {"addresses": ["10.0.0.3"]},
                                           {"addresses": ["10.0.0.4"]}]})",
       "NAME   ADDRESSTYPE   PORTS   ENDPOINTS                                AGE\n"
       "e      IPv4          9080    10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...   2m3s\n"},
  };
  for (const Case& c : cases) EXPECT_EQ(table_of(object_of(c.kind, c.object)), c.table) << c.kind;
}

TEST(ObjectTable, SurvivesObjectsWithPartsOfWrongTypes) {
  for (const api::KindInfo& kind : api::kinds())
    for (const char* body :
         {R"({"metadata": {"name": "x"}})", R"({"metadata": {"name": "x"}, "spec": [], "status": "no"})",
          R"({"metadata": {"name": "x"}, "spec": {"ports": 3, "containers": "no", "replicas": "no"},
                                 "status": {"containerStatuses": {"a": 1}, "conditions": [1, null]}, "endpoints": [3]})"}) {
      const api::Object object{&kind, api::Json::parse(body)};
      EXPECT_NE(table_of(object, {.wide = true, .with_labels = true}).find("<unknown>"), std::string::npos)
          << kind.kind;
    }
}

struct PodCase {
  const char* name;
  const char* pod;
  const char* expected;
};

TEST(PodSummary, NamesTheMostTellingState) {
  const PodCase cases[] = {
      {"nothing yet", R"({"spec": {"containers": [{}]}, "status": {"phase": "Pending"}})", "0/1 Pending 0"},
      {"creating", R"({"status": {"phase": "Pending", "containerStatuses": [
          {"state": {"waiting": {"reason": "ContainerCreating"}}}]}})",
       "0/1 ContainerCreating 0"},
      {"image", R"({"status": {"phase": "Pending", "containerStatuses": [
          {"state": {"waiting": {"reason": "ErrImageNeverPull"}}}, {"ready": true, "state": {"running": {}}}]}})",
       "1/2 ErrImageNeverPull 0"},
      {"crash", R"({"status": {"phase": "Running", "containerStatuses": [
          {"restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
          {"ready": true, "state": {"running": {}}}]}})",
       "1/2 CrashLoopBackOff 4"},
      {"exit",
       R"({"status": {"phase": "Running", "containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}]}})",
       "0/1 ExitCode:3 0"},
      {"signal",
       R"({"status": {"phase": "Running", "containerStatuses": [{"state": {"terminated": {"signal": 9}}}]}})",
       "0/1 Signal:9 0"},
      {"completed", R"({"status": {"phase": "Succeeded", "containerStatuses": [
          {"state": {"terminated": {"reason": "Completed"}}}]}})",
       "0/1 Completed 0"},
      {"half completed",
       R"({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}],
          "containerStatuses": [{"state": {"terminated": {"reason": "Completed"}}}, {"ready": true, "state": {"running": {}}}]}})",
       "1/2 NotReady 0"},
      {"terminating",
       R"({"metadata": {"deletionTimestamp": "2026-03-01T00:00:00Z"}, "status": {"phase": "Running",
          "containerStatuses": [{"ready": true, "state": {"running": {}}}]}})",
       "1/1 Terminating 0"},
      {"evicted", R"({"status": {"phase": "Failed", "reason": "Evicted"}})", "0/0 Evicted 0"},
      {"init",
       R"({"spec": {"initContainers": [{}, {}]}, "status": {"phase": "Pending", "initContainerStatuses": [
          {"state": {"terminated": {"exitCode": 0}}}, {"state": {"running": {}}, "restartCount": 1}]}})",
       "0/0 Init:1/2 1"},
      {"failed init",
       R"({"spec": {"initContainers": [{}]}, "status": {"phase": "Pending", "initContainerStatuses": [
          {"state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]}})",
       "0/0 Init:Error 0"},
      {"running but not ready", R"({"status": {"phase": "Running", "containerStatuses": [
          {"ready": false, "state": {"running": {}}}, {"ready": true, "state": {"running": {}}}]}})",
       "1/2 Running 0"},
  };
  for (const PodCase& c : cases) {
    const PodSummary s = summarize_pod(api::Json::parse(c.pod));
    EXPECT_EQ(std::to_string(s.ready) + "/" + std::to_string(s.containers) + " " + s.status + " " +
                  std::to_string(s.restarts),
              c.expected)
        << c.name;
  }
}

}  // namespace
}  // namespace weft::cli

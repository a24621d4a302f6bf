#include "cli/description.h"

#include <gtest/gtest.h>

namespace weft::cli {
namespace {

api::Object object_of(const char* kind, const char* text) {
  return {api::find_kind_by_name(kind), api::Json::parse(text)};
}

TEST(Description, OfAPodHasItsContainersAndTheSidecar) {
  const api::Object pod = object_of("pod", R"({
    "metadata": {"name": "p", "namespace": "default", "labels": {"app": "x", "version": "v1"}, "ownerReferences": [{"kind": "ReplicaSet", "name": "x-1"}]},
    "spec": {"serviceAccountName": "sa", "nodeName": "local", "containers": [{"name": "main", "image": "example/x:1",
      "ports": [{"containerPort": 9080}], "env": [{"name": "A", "value": "b"}, {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
      "readinessProbe": {"httpGet": {"path": "/health", "port": 9080}}}]},
    "status": {"phase": "Running", "podIP": "10.244.0.7", "startTime": "2026-03-01T00:00:00Z",
      "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "main is not ready"}],
      "containerStatuses": [
        {"name": "main", "ready": false, "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s"}},
         "lastState": {"terminated": {"exitCode": 3, "reason": "Error", "startedAt": "s", "finishedAt": "f"}}},
        {"name": "istio-proxy", "image": "weft", "ready": true, "restartCount": 0, "state": {"running": {"startedAt": "t"}}}]}})");
  EXPECT_EQ(describe_object(pod, {}), R"(Name:                  p
Namespace:             default
Labels:                app=x
                       version=v1
Annotations:           <none>
Service Account:       sa
Node:                  local
Start Time:            2026-03-01T00:00:00Z
Status:                CrashLoopBackOff
IP:                    10.244.0.7
Controlled By:         ReplicaSet/x-1
Containers:
  main:
    Image:             example/x:1
    Ports:             9080/TCP
    State:             Waiting
      Reason:          CrashLoopBackOff
      Message:         back-off 20s
    Last State:        Terminated
      Reason:          Error
      Exit Code:       3
      Started:         s
      Finished:        f
    Ready:             False
    Restart Count:     2
    Readiness:         http-get http://:9080/health delay=0s timeout=1s period=10s #success=1 #failure=3
    Environment:
      A:               b
      S:               <set to the key 'k' in secret 's'>
  istio-proxy:
    Image:             weft
    State:             Running
      Started:         t
    Ready:             True
    Restart Count:     0
Conditions:
  Ready:               False  ContainersNotReady: main is not ready
)");
}

TEST(Description, OfAServiceHasTheAddressesThatServe) {
  const api::Object service = object_of("service", R"({"metadata": {"name": "s", "namespace": "default"},
    "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.9", "selector": {"app": "x"}, "ports": [{"name": "http", "port": 80, "targetPort": 9080}]}})");
  Surroundings around;
  around.endpoint_slices.push_back(
      std::make_shared<const api::Object>(object_of("endpointslices", R"({"metadata": {"name": "s-1"},
    "ports": [{"name": "http", "port": 9080}], "endpoints": [{"addresses": ["10.244.0.7"], "conditions": {"ready": true}},
      {"addresses": ["10.244.0.8"], "conditions": {"ready": false}}, {"addresses": ["10.244.0.9"]}]})")));
  const std::string text = describe_object(service, around);
  EXPECT_NE(text.find("Port:                  http  80/TCP\nTargetPort:            9080\n"
                      "Endpoints:             10.244.0.7:9080,10.244.0.9:9080\n"),
            std::string::npos)
      << text;
}

TEST(Description, OfARuleHasItsTextConditionsAndProxies) {
  const api::Object rule = object_of("vs", R"({"metadata": {"name": "reviews", "namespace": "default"},
    "spec": {"hosts": ["reviews"]}, "status": {"conditions": [{"type": "Reconciled", "status": "True"}]}})");
  Surroundings around;
  around.receipt = api::Json::parse(R"({"kind": "VirtualService", "name": "reviews", "namespace": "default",
    "sent": 7, "applied": 5, "pending": ["q.default"], "rejected": [{"proxy": "p.default", "reason": "no such cluster"},
      {"proxy": "control plane", "reason": "/spec/http/0: no"}]})");
  const std::string text = describe_object(rule, around);
  EXPECT_NE(text.find("Spec:\n  hosts:\n  - reviews\nConditions:\n  Reconciled:          True\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("Proxies:\n  Applied:             5 of 7, each what of it concerns it\n"
                      "  Pending:             q.default\n"
                      "  Rejected:            p.default: no such cluster\n"
                      "                       control plane: /spec/http/0: no\n"),
            std::string::npos)
      << text;
}

TEST(Description, OfARuleSaysEachReasonOnce) {
  const api::Object rule = object_of("vs", R"({"metadata": {"name": "r", "namespace": "default"}, "spec": {},
    "status": {"conditions": [{"type": "Applied", "status": "False", "reason": "Rejected", "message": "p rejected x"}]}})");
  Surroundings around;
  around.knows_remarks = true;
  around.remarks = {{{"remark", "Waiting"}, {"field", "spec.hosts[0]"}, {"message", "waits for host a"}}};
  around.receipt = api::Json::parse(R"({"applied": 0, "rejected": [{"proxy": "p", "reason": "x"}]})");
  EXPECT_NE(describe_object(rule, around).find(R"(Conditions:
  Resolved:            False  Waiting
  Applied:             False  Rejected
Message:               spec.hosts[0]: waits for host a
Proxies:
  Applied:             0 of 1, each what of it concerns it
  Pending:             <none>
  Rejected:            p: x
)"),
            std::string::npos)
      << describe_object(rule, around);
}

TEST(Description, SurvivesObjectsWithPartsOfWrongTypes) {
  for (const api::KindInfo& kind : api::kinds())
    for (
        const char* body :
        {R"({"metadata": {"name": "x"}})",
         R"({"metadata": {"name": "x", "labels": []}, "spec": 7, "status": "no"})",
         R"({"metadata": {"name": "x"}, "spec": {"containers": [3], "ports": [null], "template": 1, "volumes": [[]]},
                                 "status": {"containerStatuses": [3], "conditions": [1]}, "data": "no"})"}) {
      const api::Object object{&kind, api::Json::parse(body)};
      EXPECT_NE(describe_object(object, {}).find("Name:                  x\n"), std::string::npos)
          << kind.kind;
    }
}

TEST(Description, OfARouteHasWhatEachParentSaysOfIt) {
  const api::Object route = object_of("httproute", R"({
    "metadata": {"name": "r", "namespace": "default"}, "spec": {},
    "status": {"parents": [{"parentRef": {"name": "edge", "sectionName": "http"}, "conditions": [
      {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "Route was valid"}]}]}})");
  const std::string text = describe_object(route, {});
  EXPECT_NE(text.find("Parent edge/http:\n"), std::string::npos) << text;
  EXPECT_NE(text.find("True  Accepted: Route was valid\n"), std::string::npos) << text;
}

TEST(Description, what_is_said_of_a_route_stands_there_once) {
  const api::Object route = object_of("httproute", R"({
    "metadata": {"name": "r", "namespace": "default"}, "spec": {},
    "status": {"parents": [{"parentRef": {"name": "edge"}, "conditions": [
      {"type": "Accepted", "status": "False", "reason": "NoMatchingParent", "message": "no Gateway a/b"}]}]}})");
  Surroundings around;
  around.knows_remarks = true;
  around.remarks = {{{"field", "spec.parentRefs[0]"}, {"message", "no Gateway a/b"}},
                    {{"field", "spec.x"}, {"message", "told nowhere else"}}};
  const std::string text = describe_object(route, around);
  EXPECT_EQ(text.find("no Gateway a/b"), text.rfind("no Gateway a/b")) << text;
  EXPECT_NE(text.find("spec.x: told nowhere else"), text.npos) << text;
}

}  // namespace
}  // namespace weft::cli

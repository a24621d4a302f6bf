#include <gtest/gtest.h>

#include "install/check.h"
#include "install/testing/fake_cluster.h"
#include "install/testing/findings.h"
#include "store/testing/run.h"

namespace weft::install {
namespace {

using api::Json;
using testing::kControlPath;
using testing::kDefinition;
using testing::kInjectorPath;
using testing::labelled;
using testing::line_with;
using testing::ours;

const std::string kValidatorPath =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/weft-validator";
const std::string kGatewayPath = "/api/v1/namespaces/weft-system/services/istio-ingressgateway";
const std::string kSettingsPath = "/api/v1/namespaces/weft-system/configmaps/weft-injector";
const std::string kPods = "/api/v1/namespaces/shop/pods/";

Json conditions(const char* type, const char* status) {
  return {{"status", {{"conditions", {{{"type", type}, {"status", status}}}}}}};
}
Json deployment(int replicas, int ready) {
  return ours({{"spec", {{"replicas", replicas}}}, {"status", {{"readyReplicas", ready}}}});
}
Json webhook(const char* bundle, const char* policy) {
  return ours(
      {{"webhooks",
        {{{"name", "a.istio.io"}, {"clientConfig", {{"caBundle", bundle}}}, {"failurePolicy", policy}}}}});
}
Json pod(const char* image) {
  return {{"spec",
           {{"initContainers", {{{"name", "istio-proxy"}, {"image", image}}}},
            {"containers", {{{"name", "app"}}}}}}};
}
Json pod() { return {{"spec", {{"containers", {{{"name", "app"}}}}}}}; }

/// An installation where everything is as it should be, with one namespace of sidecars.
class CheckAfterTest : public ::testing::Test {
 protected:
  CheckAfterTest() {
    cluster.put(kDefinition, ours(conditions("Established", "True")));
    cluster.put(kControlPath, deployment(2, 2));
    cluster.put(kInjectorPath, webhook("Y2E=", "Fail"));
    cluster.put(kValidatorPath, webhook("Y2E=", "Fail"));
    for (const char* name : {"weft-system", "kube-public"})
      cluster.put(std::string("/api/v1/namespaces/") + name);
    cluster.put("/api/v1/namespaces/shop", labelled({}, "istio-injection", "enabled"));
    for (const std::string name : {"weft-system", "shop"})
      cluster.put("/api/v1/namespaces/" + name + "/configmaps/weft-ca-root-cert",
                  {{"data", {{"root-cert.pem", "PEM"}}}});
    cluster.put(kSettingsPath, {{"data", {{"settings", "image: weft:1\n"}}}});
    cluster.put(kGatewayPath,
                labelled(ours({{"spec", {{"type", "NodePort"}, {"ports", {{{"nodePort", 31380}}}}}}}),
                         "istio", "ingressgateway"));
    cluster.put(kPods + "web", pod("weft:1"));
  }
  Findings look() {
    Check check(cluster);
    Findings found = store::testing::run(loop, check.after());
    EXPECT_TRUE(testing::say_what_to_do(found));
    return found;
  }
  std::string line(const std::string& part) { return line_with(look(), part); }

  net::Loop loop;
  testing::FakeCluster cluster;
};

TEST_F(CheckAfterTest, a_good_installation_is_good_in_every_line) {
  const Findings found = look();
  for (const Finding& each : found) EXPECT_EQ(each.state, Finding::State::kOk) << each.what;
  EXPECT_EQ(line_with(found, "definitions"), "ok 1 definitions are established");
  EXPECT_EQ(line_with(found, "deployment"), "ok deployment weft-system/weft-control: 2 of 2 ready");
  EXPECT_EQ(line_with(found, "weft-sidecar-injector"),
            "ok webhooks weft-sidecar-injector have their certificate and fail closed");
  EXPECT_EQ(line_with(found, "root certificate"), "ok every namespace has the root certificate");
  EXPECT_EQ(line_with(found, "service"),
            "ok service weft-system/istio-ingressgateway: port 80 is node port 31380");
  EXPECT_EQ(line_with(found, "namespace shop"), "ok namespace shop: its one pod has its sidecar");
}

TEST_F(CheckAfterTest, whether_it_is_installed_is_whether_there_is_a_control_plane) {
  Check check(cluster);
  EXPECT_TRUE(*store::testing::run(loop, check.installed()));
  cluster.erase(kControlPath);
  EXPECT_FALSE(*store::testing::run(loop, check.installed()));
  cluster.faults.emplace("/", Error::internal(Code::kRefused, "refused"));
  EXPECT_FALSE(store::testing::run(loop, check.installed()));
}

TEST_F(CheckAfterTest, definitions_must_be_there_and_established) {
  cluster.put(kDefinition, ours(conditions("Established", "False")));
  EXPECT_EQ(line("definitions"),
            "failed definitions that are not established: virtualservices.networking.istio.io");
  cluster.erase(kDefinition);
  EXPECT_EQ(line("definitions"), "failed none of weft's definitions are there");
}

TEST_F(CheckAfterTest, many_names_are_cut_and_counted) {
  for (int i = 0; i < 7; ++i)
    cluster.put("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/a" + std::to_string(i), ours());
  cluster.page = 2;
  EXPECT_EQ(line("not established"), "failed definitions that are not established: a0, a1, a2 and 4 more");
}

TEST_F(CheckAfterTest, a_deployment_that_is_not_ready_says_why) {
  cluster.put(kControlPath, deployment(2, 1));
  EXPECT_EQ(line("deployment"), "failed deployment weft-system/weft-control: 1 of 2 ready");
  Json waiting = labelled({}, "app", "weft-control");
  waiting["status"]["containerStatuses"] = {
      {{"state", {{"waiting", {{"reason", "ImagePullBackOff"}, {"message", "no such image"}}}}}}};
  cluster.put("/api/v1/namespaces/weft-system/pods/weft-control-1", waiting);
  EXPECT_EQ(line("deployment"),
            "failed deployment weft-system/weft-control: 1 of 2 ready (weft-control-1: "
            "ImagePullBackOff: no such image)");
  cluster.put(
      "/api/v1/namespaces/weft-system/pods/weft-control-1",
      labelled({{"status",
                 {{"conditions",
                   {{{"type", "PodScheduled"}, {"status", "False"}, {"message", "no node has room"}}}}}}},
               "app", "weft-control"));
  EXPECT_NE(line("deployment").find("(weft-control-1: no node has room)"), std::string::npos);
  cluster.put(kControlPath, deployment(0, 0));
  EXPECT_TRUE(line("deployment").starts_with("failed")) << "scaled to nothing does not work either";
  cluster.erase(kControlPath);
  EXPECT_EQ(line("control plane"), "failed there is no control plane");
}

TEST_F(CheckAfterTest, webhooks_must_be_there_with_a_certificate_and_fail_closed) {
  for (const std::string& path : {kInjectorPath, kValidatorPath}) {
    const std::string name = path.substr(path.rfind('/') + 1);
    cluster.put(path, webhook("", "Fail"));
    EXPECT_EQ(line(name), "failed webhooks " + name + " have no caBundle: a.istio.io");
    cluster.put(path, webhook("Y2E=", "Ignore"));
    EXPECT_EQ(line(name), "warning webhooks " + name + " let through what they cannot check: a.istio.io");
    cluster.erase(path);
    EXPECT_EQ(line(name), "failed webhooks " + name + " are not there");
  }
}

TEST_F(CheckAfterTest, each_namespace_but_some_needs_the_root_certificate) {
  cluster.put("/api/v1/namespaces/new");
  EXPECT_EQ(line("root certificate"),
            "failed namespaces without the root certificate (configmap weft-ca-root-cert): new");
  cluster.put("/api/v1/namespaces/new/configmaps/weft-ca-root-cert", {{"data", {{"root-cert.pem", ""}}}});
  EXPECT_TRUE(line("root certificate").starts_with("failed")) << "an empty one is none";
  cluster.put("/api/v1/namespaces/new", {{"metadata", {{"deletionTimestamp", "2026-03-01T00:00:00Z"}}}});
  EXPECT_TRUE(line("root certificate").starts_with("ok")) << "it goes";
}

TEST_F(CheckAfterTest, a_gateway_says_where_it_is_reached) {
  cluster.at(kGatewayPath)["spec"]["type"] = "LoadBalancer";
  EXPECT_EQ(line("service"),
            "warning service weft-system/istio-ingressgateway has no address of a load balancer "
            "yet; its node port is 31380");
  cluster.at(kGatewayPath)["status"]["loadBalancer"]["ingress"] = {{{"ip", "203.0.113.7"}}};
  EXPECT_TRUE(line("service").starts_with("ok"));
  cluster.at(kGatewayPath)["spec"] = {{"type", "ClusterIP"}, {"ports", {{{"port", 80}}}}};
  EXPECT_EQ(line("service"), "ok service weft-system/istio-ingressgateway: reached from inside the cluster");
}

TEST_F(CheckAfterTest, pods_without_a_sidecar_or_with_an_old_one_are_named) {
  cluster.put(kPods + "old", pod("weft:0"));
  cluster.put(kPods + "plain", pod());
  EXPECT_EQ(line("without a sidecar"), "warning namespace shop: pods without a sidecar: plain");
  EXPECT_EQ(line("are not weft:1"), "warning namespace shop: sidecars that are not weft:1: old");
  cluster.at(kPods + "old")["metadata"]["annotations"]["sidecar.istio.io/proxyImage"] = "weft:0";
  EXPECT_EQ(line("are not weft:1"), "none") << "it was asked for";
}

TEST_F(CheckAfterTest, pods_that_injection_has_nothing_to_do_with_are_not_counted) {
  cluster.put(kPods + "no", labelled(pod(), "sidecar.istio.io/inject", "false"));
  cluster.put(kPods + "done", [] {
    Json made = pod();
    made["status"]["phase"] = "Succeeded";
    return made;
  }());
  cluster.put(kPods + "host", [] {
    Json made = pod();
    made["spec"]["hostNetwork"] = true;
    return made;
  }());
  EXPECT_EQ(line("namespace shop"), "ok namespace shop: its one pod has its sidecar");
}

TEST_F(CheckAfterTest, no_namespace_that_asks_for_sidecars_is_a_warning) {
  cluster.put("/api/v1/namespaces/shop");
  EXPECT_TRUE(line("no namespace asks").starts_with("warning"));
  cluster.put("/api/v1/namespaces/shop", labelled({}, "istio.io/rev", "default"));
  EXPECT_EQ(line("no namespace asks"), "none");
}

TEST_F(CheckAfterTest, wrong_settings_of_injection_are_a_failure) {
  cluster.put(kSettingsPath, {{"data", {{"settings", "imagge: x\n"}}}});
  EXPECT_TRUE(line("settings of injection are wrong").starts_with("failed"));
}

TEST_F(CheckAfterTest, what_cannot_be_read_is_a_failure_of_its_own_line) {
  for (const auto& [path, what] :
       {std::pair("/apis/apiextensions", "customresourcedefinitions"), std::pair("/apis/apps", "deployments"),
        std::pair("/apis/admissionregistration.k8s.io/v1/v",
                  "validatingwebhookconfigurations weft-validator"),
        std::pair("/api/v1/configmaps", "root certificates"), std::pair("/api/v1/services", "services"),
        std::pair("/api/v1/namespaces/weft-system/configmaps", "namespaces"),
        std::pair("/api/v1/namespaces/shop/pods", "pods of namespace shop")}) {
    cluster.faults = {{path, Error::config(Code::kDenied, "forbidden")}};
    EXPECT_EQ(line("cannot be read"), std::string("failed ") + what + " cannot be read: forbidden");
  }
}

TEST_F(CheckAfterTest, a_rule_that_is_stored_and_not_done_is_named_with_its_field) {
  const std::string path = "/apis/networking.istio.io/v1/namespaces/shop/virtualservices/";
  const Json route = {{"route", {{{"destination", {{"host", "web"}}}}}}};
  cluster.put(path + "good", {{"spec", {{"hosts", {"web"}}, {"http", {route}}}}});
  EXPECT_EQ(line("rules are done"), "ok all 1 rules are done as they are written");
  Json mirrored = route;
  mirrored["mirror"] = {{"host", "web"}};
  cluster.put(path + "mirrored", {{"spec", {{"hosts", {"web"}}, {"http", {mirrored}}}}});
  EXPECT_EQ(line("mirror"),
            "warning virtualservice shop/mirrored: spec.http[0].mirror: mirror is not supported by weft yet; "
            "remove it; the route itself works without");
}

TEST_F(CheckAfterTest, a_rule_whose_status_says_that_it_waits_or_is_not_applied_is_named) {
  const std::string path = "/apis/networking.istio.io/v1/namespaces/shop/virtualservices/";
  const Json route = {{"route", {{{"destination", {{"host", "web"}}}}}}};
  const Json spec = {{"hosts", {"web"}}, {"http", {route}}};
  for (const char* type : {"Resolved", "Effective", "Applied"}) {
    Json status = {
        {"conditions", {{{"type", type}, {"status", "False"}, {"message", "waits for host web"}}}}};
    cluster.put(path + "web", {{"spec", spec}, {"status", status}});
    EXPECT_EQ(line("waits for"), "warning virtualservice shop/web: waits for host web") << type;
    EXPECT_EQ(line("rules are done"), "none") << type;
    status["conditions"][0]["status"] = "True";
    cluster.put(path + "web", {{"spec", spec}, {"status", status}});
    EXPECT_EQ(line("rules are done"), "ok all 1 rules are done as they are written") << type;
  }
}

TEST_F(CheckAfterTest, a_stored_rule_is_asked_for_what_its_proxies_would_say_too) {
  const Json route = {{"route", {{{"destination", {{"host", "web"}}}}}}};
  cluster.put("/apis/networking.istio.io/v1/namespaces/shop/virtualservices/odd",
              {{"spec", {{"hosts", {"web"}}, {"http", {route}}}}});
  Check check(cluster, [](const api::Object&) {
    return std::vector<api::Finding>{{"/spec/http/0", "no proxy accepts it: it is odd"}};
  });
  EXPECT_EQ(line_with(store::testing::run(loop, check.after()), "odd"),
            "warning virtualservice shop/odd: spec.http[0]: no proxy accepts it: it is odd");
}

TEST_F(CheckAfterTest, of_ingresses_those_of_our_class_are_looked_at) {
  const Json tls = {{"tls", {{{"secretName", "s"}}}}, {"ingressClassName", "nginx"}};
  const std::string path = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/";
  cluster.put(path + "theirs", {{"spec", tls}});
  EXPECT_EQ(line("ingress shop"), "none");
  Json ours = tls;
  ours["ingressClassName"] = "istio";
  cluster.put(path + "ours", {{"spec", ours}});
  EXPECT_EQ(line("ingress shop").find("warning ingress shop/ours: spec.tls"), 0u) << line("ingress shop");
}

TEST_F(CheckAfterTest, a_policy_that_is_not_enforced_is_named) {
  const Json groups = {{"groups", {{{"name", "security.istio.io"}, {"versions", {{{"version", "v1"}}}}}}}};
  cluster.documents["/apis"] = groups;
  cluster.documents["/apis/security.istio.io/v1"] = {{"resources", {{{"name", "authorizationpolicies"}}}}};
  cluster.put("/apis/security.istio.io/v1/namespaces/shop/authorizationpolicies/deny-all");
  EXPECT_EQ(
      line("AuthorizationPolicy"),
      "warning weft does not do AuthorizationPolicy: it has no effect on pods with its sidecar, and what it "
      "forbids or demands is not enforced there: shop/deny-all");
}

TEST_F(CheckAfterTest, settings_that_nothing_reads_are_named) {
  cluster.put(kSettingsPath, {{"data", {{"settings", "image: weft:1\nclusterDomain: corp.example\n"}}}});
  EXPECT_EQ(
      line("clusterDomain"),
      "warning setting clusterDomain: corp.example has no effect: the control plane knows no other domain");
}

}  // namespace
}  // namespace weft::install

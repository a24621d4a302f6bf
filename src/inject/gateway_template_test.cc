#include "inject/gateway_template.h"

#include <gtest/gtest.h>

namespace weft::inject {
namespace {

api::Json deployment() {
  GatewayDeployment gateway;
  gateway.name = "edge";
  gateway.ns = "shop";
  gateway.service_account = "edge-account";
  gateway.labels = {{"a", "b"}};
  gateway.selector = {{"gateway", "edge"}};
  gateway.pod_labels = {{"team", "web"}};
  gateway.ports = {80, 8443};
  return gateway_deployment(gateway, Settings{});
}

TEST(GatewayTemplate, a_gateway_runs_the_router_with_a_sidecars_identity_and_no_capture) {
  const api::Json made = deployment();
  const api::Json& pod = made["spec"]["template"]["spec"];
  EXPECT_EQ(made["metadata"]["namespace"], "shop");
  EXPECT_FALSE(pod.contains("initContainers"));
  EXPECT_EQ(pod["serviceAccountName"], "edge-account");
  ASSERT_EQ(pod["containers"].size(), 1u);
  const api::Json& proxy = pod["containers"][0];
  EXPECT_EQ(proxy["args"][0], "proxy");
  EXPECT_EQ(proxy["args"][1], "router");
  EXPECT_EQ(proxy["securityContext"]["runAsUser"], 1337);
  EXPECT_EQ(proxy["readinessProbe"]["httpGet"]["port"], 15021);
  EXPECT_FALSE(proxy.contains("lifecycle"));
  EXPECT_FALSE(proxy.contains("restartPolicy"));
  const std::string all = made.dump();
  for (const char* part : {"istio-token", "POD_NAMESPACE", "CA_ADDR", "weft-ca-root-cert"})
    EXPECT_NE(all.find(part), std::string::npos) << part;
}

TEST(GatewayTemplate, its_pods_carry_the_selectors_labels_and_may_listen_below_1024) {
  const api::Json made = deployment();
  const api::Json& pod = made["spec"]["template"];
  for (const auto& [key, value] : made["spec"]["selector"]["matchLabels"].items())
    EXPECT_EQ(pod["metadata"]["labels"][key], value);
  EXPECT_EQ(pod["metadata"]["labels"]["team"], "web");
  EXPECT_EQ(pod["metadata"]["labels"]["sidecar.istio.io/inject"], "false");
  EXPECT_EQ(pod["spec"]["securityContext"]["sysctls"][0]["value"], "0");
  std::vector<int> ports;
  for (const auto& port : pod["spec"]["containers"][0]["ports"]) ports.push_back(port["containerPort"]);
  EXPECT_EQ(ports, (std::vector<int>{15090, 15021, 80, 8443}));
}

}  // namespace
}  // namespace weft::inject

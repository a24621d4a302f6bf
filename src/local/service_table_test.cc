#include "local/service_table.h"

#include <gtest/gtest.h>

#include "local/hosts_file.h"
#include "local/testing/tables.h"

namespace weft::local {
namespace {

using testing::Objects;
using testing::objects_of;

constexpr const char* kWeb = R"(
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.96.0.9, ports: [{name: http, port: 80, targetPort: 8080}, {name: admin, port: 81}]}
---
apiVersion: v1
kind: Service
metadata: {name: web-hl, namespace: shop}
spec: {clusterIP: None, ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints:
- {addresses: [10.244.0.7], conditions: {ready: true}}
- {addresses: [10.244.0.8], conditions: {ready: false}}
- {addresses: [10.244.0.5], conditions: {ready: true}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-hl-1, namespace: shop, labels: {kubernetes.io/service-name: web-hl}}
addressType: IPv4
ports: [{name: http, port: 80, protocol: TCP}]
endpoints:
- {addresses: [10.244.0.7], conditions: {ready: true}}
- {addresses: [10.244.0.8], conditions: {ready: false}}
- {addresses: [10.244.0.5], conditions: {ready: true}}
)";

TEST(ServiceTable, LeadsEachPortToTheReadyEndpointsOfThatPort) {
  const Objects all = objects_of(kWeb);
  ServiceTable table;
  EXPECT_TRUE(table.set(all.services, all.slices));
  const std::uint32_t web = (10u << 24) + (96u << 16) + 9, pod = (10u << 24) + (244u << 16);
  EXPECT_EQ(table.fronts(), (std::vector<capture::ServiceFront>{
                                {{web, 80}, {{pod + 5, 8080}, {pod + 7, 8080}}}, {{web, 81}, {}}}));
}

TEST(ServiceTable, SaysWhetherAnythingHasChangedAndMakesRulesOnlyThen) {
  Objects all = objects_of(kWeb);
  ServiceTable table;
  const auto empty = table.rules_version();
  table.set(all.services, all.slices);
  const auto full = table.rules_version();
  EXPECT_GT(full, empty);
  EXPECT_FALSE(table.set(all.services, all.slices));
  EXPECT_EQ(table.rules_version(), full);
  all.slices.clear();
  EXPECT_TRUE(table.set(all.services, all.slices));
  EXPECT_GT(table.rules_version(), full);
}

TEST(ServiceTable, AHeadlessNameLeadsToEachReadyEndpoint) {
  const Objects all = objects_of(kWeb);
  ServiceTable table;
  table.set(all.services, all.slices);
  const std::string text = hosts_text("client", "shop", "10.244.0.9", table);
  for (const char* line : {"10.244.0.5\tweb-hl web-hl.shop web-hl.shop.svc web-hl.shop.svc.cluster.local "
                           "web-hl.shop.svc.cluster.local.\n",
                           "10.244.0.7\tweb-hl ", "10.96.0.9\tweb web.shop "})
    EXPECT_NE(text.find(line), std::string::npos) << text;
  EXPECT_EQ(text.find("10.244.0.8"), std::string::npos) << text;
}

TEST(HostName, IsThePodsNameCutAtWhatAHostNameMayBe) {
  EXPECT_EQ(host_name_of("web-1"), "web-1");
  const std::string long_name = std::string(62, 'a') + "-" + std::string(20, 'b');
  EXPECT_EQ(host_name_of(long_name), std::string(62, 'a'));
}

}  // namespace
}  // namespace weft::local

#include "local/environment.h"

#include <gtest/gtest.h>

#include "capture/rules.h"
#include "local/capture_options.h"
#include "local/hosts_file.h"
#include "local/sidecar.h"

namespace weft::local {
namespace {

api::Object pod_with(const char* env) {
  api::Object pod;
  pod.kind = api::find_kind("v1", "Pod");
  pod.body = {{"metadata",
               {{"name", "shop-1"}, {"namespace", "market"}, {"uid", "u"}, {"labels", {{"app", "shop"}}}}},
              {"spec",
               {{"serviceAccountName", "seller"},
                {"containers", api::Json::array({{{"name", "main"}, {"env", api::Json::parse(env)}}})}}}};
  return pod;
}

api::ObjectPtr object(const char* kind, const char* json) {
  auto made = std::make_shared<api::Object>();
  made->kind = api::find_kind("v1", kind);
  made->body = api::Json::parse(json);
  return made;
}

Result<Environment> resolved(const char* env) {
  const api::Object pod = pod_with(env);
  const FindObject find = [](std::string_view kind, std::string_view name) -> api::ObjectPtr {
    if (kind == "ConfigMap" && name == "settings")
      return object("ConfigMap", R"({"data": {"colour": "red"}})");
    if (kind == "Secret" && name == "keys") return object("Secret", R"({"data": {"token": "c2VjcmV0IQ=="}})");
    return nullptr;
  };
  return resolve_environment(pod, pod.spec()["containers"][0], "10.244.0.9", {{"PATH", "/bin"}}, find);
}

TEST(Environment, TakesValuesFromFieldsConfigMapsAndSecrets) {
  const auto got = resolved(R"([
    {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
    {"name": "ACCOUNT", "valueFrom": {"fieldRef": {"fieldPath": "spec.serviceAccountName"}}},
    {"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "colour"}}},
    {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}}])");
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(*got, (Environment{{"PATH", "/bin"},
                               {"NAME", "shop-1"},
                               {"IP", "10.244.0.9"},
                               {"APP", "shop"},
                               {"ACCOUNT", "seller"},
                               {"COLOUR", "red"},
                               {"TOKEN", "secret!"}}));
}

TEST(Environment, RejectsVariablesThatGrowByNamingEachOther) {
  std::string env = R"([{"name": "V0", "value": "0123456789"})";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "$(V" + std::to_string(i - 1) + ")";
    env += R"(, {"name": "V)" + std::to_string(i) + R"(", "value": ")" + before + before + before + R"("})";
  }
  const auto got = resolved((env + "]").c_str());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::kTooLarge);
  EXPECT_EQ(got.error().text, "env V9: more than 128 KiB, with $(...) replaced");
}

TEST(Environment, LooksForNoEndOfWhatIsLongerThanEveryName) {
  std::string references;
  for (int i = 0; i < 60'000; ++i) references += "$(";
  const auto expanded = expand(references + ")", {{"A", "x"}});
  ASSERT_TRUE(expanded);
  EXPECT_EQ(*expanded, references + ")");
}

TEST(Environment, ExpandsVariablesBeforeItAndNothingElse) {
  const auto got = resolved(
      R"~([{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)-$$(A)-$(C)-$A-$("}, {"name": "C", "value": "$(B)"}])~");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->at("B"), "1-$(A)-$(C)-$A-$(");
  EXPECT_EQ(got->at("C"), "1-$(A)-$(C)-$A-$(");
}

TEST(Environment, SaysWhichReferenceLeadsNowhereUnlessItIsOptional) {
  const auto missing =
      resolved(R"([{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "k"}}}])");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().text, "env A: ConfigMap \"none\" is not there");
  const auto no_key =
      resolved(R"([{"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "k"}}}])");
  ASSERT_FALSE(no_key);
  EXPECT_EQ(no_key.error().text, "env A: Secret \"keys\" has no key \"k\"");
  const auto optional = resolved(
      R"([{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "k", "optional": true}}}])");
  ASSERT_TRUE(optional);
  EXPECT_FALSE(optional->contains("A"));
}

TEST(HostsFile, HasEachServiceByTheNamesOfThePodsNamespace) {
  ObjectsByKey services;
  const auto add = [&](const char* ns, const char* name, const char* ip) {
    auto made = std::make_shared<api::Object>();
    made->kind = api::find_kind("v1", "Service");
    made->body = {{"metadata", {{"name", name}, {"namespace", ns}}}, {"spec", {{"clusterIP", ip}}}};
    services[made->key()] = made;
  };
  add("default", "reviews", "10.96.0.2");
  add("market", "shop", "10.96.0.3");
  add("market", "headless", "None");
  ServiceTable table;
  table.set(services, {});
  const std::string text = hosts_text("shop-1", "market", "10.244.0.9", table);
  EXPECT_NE(text.find("10.244.0.9\tshop-1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("10.96.0.3\tshop shop.market shop.market.svc shop.market.svc.cluster.local "
                      "shop.market.svc.cluster.local.\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("10.96.0.2\treviews.default reviews.default.svc reviews.default.svc.cluster.local "
                      "reviews.default.svc.cluster.local.\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("headless"), std::string::npos);
}

TEST(Sidecar, TakesItsConcurrencyFromTheProxyConfigAnnotation) {
  api::Object pod = pod_with("[]");
  EXPECT_EQ(proxy_concurrency(pod), 2);
  const auto with = [&](const char* text) {
    pod.body["metadata"]["annotations"]["proxy.istio.io/config"] = text;
    return proxy_concurrency(pod);
  };
  EXPECT_EQ(with("concurrency: 4"), 4);
  EXPECT_EQ(with("discoveryAddress: x\n  concurrency: 1\n"), 1);
  EXPECT_EQ(with("concurrency: many"), 2);
  EXPECT_EQ(with("concurrency: 100000"), 2);
}

TEST(CaptureOptions, AreThoseOfOneMachineUnlessThePodSaysOtherwise) {
  api::Object pod = pod_with("[]");
  const auto text = [&] {
    const auto made = redirection_of(pod);
    return made ? capture::to_nft(capture::rules_of(*made)) : made.error().text;
  };
  EXPECT_EQ(text(), capture::to_nft(capture::rules_of(capture::one_machine())));
  api::Json& annotations = pod.body["metadata"]["annotations"];
  annotations = {{"traffic.sidecar.istio.io/excludeOutboundPorts", "3306"},
                 {"traffic.sidecar.istio.io/excludeInboundPorts", "9999"},
                 {"traffic.sidecar.istio.io/includeOutboundIPRanges", ""}};
  EXPECT_NE(text().find("tcp dport 3306 return"), std::string::npos) << text();
  EXPECT_NE(text().find("tcp dport 9999 return"), std::string::npos) << text();
  EXPECT_NE(text().find("tcp dport 15021 return"), std::string::npos) << text();
  EXPECT_EQ(text().find("redirect to :15001"), std::string::npos) << text();
  annotations = {{"traffic.sidecar.istio.io/excludeOutboundPorts", "many"}};
  EXPECT_NE(text().find("annotations traffic.sidecar.istio.io/ (excludeOutboundPorts): "), std::string::npos)
      << text();
}

}  // namespace
}  // namespace weft::local

#include "control/translation/translator.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "base/random.h"
#include "control/testing/objects.h"
#include "control/testing/random_objects.h"
#include "control/translation/proof.h"
#include "control/translation/translate.h"

namespace weft::control {
namespace {

ProxyIdentity sidecar(const std::string& ns, const std::string& pod, Labels labels) {
  return {ProxyIdentity::Kind::kSidecar, ns, pod, "default", std::move(labels)};
}

const std::vector<ProxyIdentity>& proxies() {
  static const std::vector<ProxyIdentity> kProxies = {
      sidecar("a", "x", {{"app", "x"}, {"version", "v1"}}),
      sidecar("a", "y", {{"app", "y"}, {"version", "v2"}}),
      sidecar("b", "x", {{"app", "x"}}),
      {ProxyIdentity::Kind::kGateway, "istio-system", "gw", "", {{"istio", "ingressgateway"}}}};
  return kProxies;
}

std::string differences(const ResourceSet& a, const ResourceSet& b) {
  std::string text;
  for (Type type : kAllTypes) {
    for (const ResourcePtr& each : a[type])
      if (!same(b[type].find(each->name), each))
        text += std::string(short_name(type)) + " " + each->name + "; ";
    for (const ResourcePtr& each : b[type])
      if (!a[type].contains(each->name))
        text += "no " + std::string(short_name(type)) + " " + each->name + "; ";
  }
  return text;
}

/// What most is made of oftener than the rest.
std::vector<const api::KindInfo*> what_translation_reads() {
  using namespace kinds;
  return {service(),          service(),         service(),         pod(),
          endpoint_slice(),   virtual_service(), virtual_service(), virtual_service(),
          destination_rule(), gateway(),         ingress(),         ingress_class(),
          name_space(),       gateway_class(),   api_gateway(),     http_route(),
          reference_grant()};
}

TEST(Translator, carries_over_to_a_later_world_what_a_new_one_makes_of_it) {
  // More of them by hand: SEEDS=1000.
  const char* asked = std::getenv("SEEDS");
  const std::uint64_t seeds = asked ? std::strtoull(asked, nullptr, 10) : 30;
  std::set<ResourceSetPtr> sets;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    testing::RandomObjects objects(Random(seed), what_translation_reads());
    Translator carried;
    std::shared_ptr<const PushContext> before;
    for (std::uint64_t step = 1; step <= 60; ++step) {
      std::string changes;
      for (std::uint64_t count = 1 + step % 3; count > 0; --count) changes += objects.change() + "\n";
      const ObjectSnapshotPtr snapshot = objects.snapshot();
      const auto push = before ? std::make_shared<const PushContext>(snapshot, step, *before)
                               : std::make_shared<const PushContext>(snapshot, step);
      carried.update(push);
      Translator fresh;
      fresh.update(std::make_shared<const PushContext>(snapshot, step));
      for (const ProxyIdentity& proxy : proxies()) {
        const ResourceSetPtr set = carried.translate(proxy);
        ASSERT_EQ(differences(*set, *fresh.translate(proxy)), "")
            << "seed " << seed << " step " << step << " " << proxy.id() << " after\n"
            << changes;
        sets.insert(set);
      }
      before = push;
    }
  }
  EXPECT_GT(sets.size(), seeds * 40) << "there was little to find out";
}

/// What proxies would say of clusters, endpoints and listeners; `known` has the bytes that were looked at.
std::string complaints(const ResourceSet& set, std::set<std::string>& known) {
  std::string text;
  for (const Type type : {Type::kCluster, Type::kEndpoint, Type::kListener})
    for (const ResourcePtr& each : set[type]) {
      if (!known.insert(each->message()).second) continue;
      for (const std::string& complaint : complaints_of(type, each->message()))
        text += each->name + ": " + complaint + "; ";
    }
  return text;
}

TEST(Translator, makes_nothing_of_any_world_that_a_proxy_would_reject) {
  std::set<std::string> known;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    testing::RandomObjects objects(Random(seed), what_translation_reads());
    for (std::uint64_t step = 1; step <= 60; ++step) {
      const std::string change = objects.change();
      const PushContext push(objects.snapshot(), step);
      for (const ProxyIdentity& proxy : proxies())
        ASSERT_EQ(complaints(translate(push, proxy), known), "")
            << "seed " << seed << " step " << step << " " << proxy.id() << " after\n"
            << change;
    }
  }
  EXPECT_GT(known.size(), 300u) << "there was little to find out";
}

std::string service(const std::string& name) {
  return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name +
         ", namespace: default}\nspec: {clusterIP: 10.96.0.1, ports: [{port: 80, name: http}]}\n";
}

class TranslatorSharing : public ::testing::Test {
 protected:
  TranslatorSharing() : objects_(testing::objects(service("a") + service("b") + service("c"))) { update(); }
  void update() {
    auto snapshot = std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(++generation_, objects_));
    push_ = push_ ? std::make_shared<const PushContext>(snapshot, generation_, *push_)
                  : std::make_shared<const PushContext>(snapshot, generation_);
    translator_.update(push_);
  }
  void add(const std::string& yaml) {
    for (auto& object : testing::objects(yaml)) objects_.push_back(std::move(object));
    update();
  }

  std::vector<api::ObjectPtr> objects_;
  std::uint64_t generation_ = 0;
  std::shared_ptr<const PushContext> push_;
  Translator translator_;
};

TEST_F(TranslatorSharing, proxies_of_one_namespace_with_the_same_ports_have_one_set) {
  EXPECT_EQ(translator_.translate(sidecar("default", "x", {{"app", "x"}})),
            translator_.translate(sidecar("default", "y", {{"app", "y"}})));
  EXPECT_NE(translator_.translate(sidecar("default", "x", {})),
            translator_.translate(sidecar("other", "x", {})));
}

TEST_F(TranslatorSharing, a_world_that_differs_in_nothing_leaves_every_set_as_it_is) {
  const ProxyIdentity proxy = sidecar("default", "x", {});
  const ResourceSetPtr before = translator_.translate(proxy);
  update();
  EXPECT_EQ(translator_.translate(proxy), before);
}

TEST_F(TranslatorSharing, a_rule_changes_one_table_and_an_endpoint_one_list_of_endpoints) {
  const ProxyIdentity proxy = sidecar("default", "x", {});
  const ResourceSetPtr first = translator_.translate(proxy);
  add("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: r, namespace: "
      "default}\nspec: {hosts: "
      "[b], http: [{timeout: 1s, route: [{destination: {host: b}}]}]}\n");
  const ResourceSetPtr ruled = translator_.translate(proxy);
  for (Type type : {Type::kCluster, Type::kEndpoint, Type::kListener})
    EXPECT_EQ(ruled->table(type), first->table(type)) << short_name(type);
  EXPECT_NE(ruled->table(Type::kRoute), first->table(Type::kRoute));
  add("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: a-1, namespace: default, "
      "labels: "
      "{kubernetes.io/service-name: a}}\naddressType: IPv4\nports: [{name: http, port: 8080}]\nendpoints: "
      "[{addresses: [10.0.0.1]}]\n");
  const ResourceSetPtr ended = translator_.translate(proxy);
  for (Type type : {Type::kCluster, Type::kListener, Type::kRoute})
    EXPECT_EQ(ended->table(type), ruled->table(type)) << short_name(type);
  std::size_t others = 0;
  for (const ResourcePtr& each : (*ended)[Type::kEndpoint])
    if ((*ruled)[Type::kEndpoint].find(each->name) != each) ++others;
  EXPECT_EQ(others, 1u);
}

}  // namespace
}  // namespace weft::control

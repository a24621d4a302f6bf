#include "control/translation/translator.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "api/parse.h"
#include "base/random.h"
#include "control/testing/objects.h"

namespace weft::control {
namespace {

ProxyIdentity sidecar(const std::string& ns, const std::string& pod, Labels labels) {
  return {ProxyIdentity::Kind::kSidecar, ns, pod, "default", std::move(labels)};
}

const std::vector<ProxyIdentity>& proxies() {
  static const std::vector<ProxyIdentity> kProxies = {
      sidecar("default", "a-1", {{"app", "a"}, {"version", "v1"}}),
      sidecar("default", "b-1", {{"app", "b"}, {"version", "v2"}}),
      sidecar("other", "a-1", {{"app", "a"}}),
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

/// Objects that come, change and go at random: few names, so that they meet, and every form that decides who
/// sees what.
class RandomObjects {
 public:
  explicit RandomObjects(std::uint64_t seed) : random_(seed) {}

  void change() {
    // What is not admitted is not there.
    for (api::Object& object : api::parse_objects(any_object(), "random.yaml").objects) {
      const api::Key key = object.key();
      if (random_.below(4) == 0) {
        objects_.erase(key);
        continue;
      }
      if (key.kind == kinds::service() && random_.below(5) == 0)
        object.body["spec"] = {{"type", "ExternalName"},
                               {"externalName", one_of({"a.default.svc.cluster.local",
                                                        "b.other.svc.cluster.local", "far.example"})}};
      auto& metadata = object.body["metadata"];
      metadata["uid"] = key.to_string();
      metadata["generation"] = ++generation_;
      metadata["creationTimestamp"] = "2026-01-0" + std::to_string(1 + random_.below(3)) + "T00:00:00Z";
      objects_[key] = std::make_shared<const api::Object>(std::move(object));
      ++admitted;
    }
  }
  /// As a status is written: another object of the same generation.
  void touch() {
    if (objects_.empty()) return;
    auto at = std::next(objects_.begin(), static_cast<std::ptrdiff_t>(random_.below(objects_.size())));
    auto other = std::make_shared<api::Object>(*at->second);
    other->body["metadata"]["annotations"]["seen"] = std::to_string(++generation_);
    at->second = std::move(other);
  }
  std::shared_ptr<const World> world(std::uint64_t number) const {
    std::vector<api::ObjectPtr> all;
    for (const auto& [key, object] : objects_) all.push_back(object);
    return std::make_shared<const World>(World::of(number, std::move(all)));
  }

  std::size_t admitted = 0;

 private:
  std::string one_of(std::initializer_list<const char*> words) {
    return *(words.begin() + random_.below(words.size()));
  }
  std::string ns() { return one_of({"default", "other", "istio-system"}); }
  std::string header(const std::string& version, const std::string& kind, const std::string& name,
                     const std::string& space) {
    return "apiVersion: " + version + "\nkind: " + kind + "\nmetadata: {name: " + name +
           ", namespace: " + space + "}\n";
  }

  std::string any_object() {
    switch (random_.below(8)) {
      case 0: return service();
      case 1: return slice();
      case 2: return pod();
      case 3:
      case 4: return virtual_service();
      case 5: return destination_rule();
      case 6: return gateway();
      default: return ingress();
    }
  }
  std::string service() {
    const std::string name = one_of({"a", "b", "c", "istio-ingressgateway"}), space = ns();
    const std::string port = one_of({"80", "81", "9000"}),
                      protocol = one_of({"http", "tcp", "grpc", "x", "mongo"});
    const std::string second = random_.below(2) ? "" : ", {port: 8000, name: http-more, targetPort: web}";
    const std::string ip = random_.below(4) == 0 ? "None" : "10.96.0." + std::to_string(1 + random_.below(4));
    return header("v1", "Service", name, space) + "spec: {clusterIP: " + ip + ", selector: {app: " + name +
           "}, ports: [{port: " + port + ", name: " + protocol + "-p}" + second + "]}\n";
  }
  std::string slice() {
    const std::string service = one_of({"a", "b", "c"});
    std::string endpoints;
    for (std::uint64_t i = random_.below(3); i > 0; --i)
      endpoints += "{addresses: [10.0.0." + std::to_string(1 + random_.below(4)) +
                   "], targetRef: {kind: Pod, name: " + one_of({"a-1", "b-1", "c-1"}) + "}}, ";
    return "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " + service +
           one_of({"-1", "-2"}) + ", namespace: " + ns() +
           ", labels: {kubernetes.io/service-name: " + service +
           "}}\naddressType: IPv4\nports: [{name: " + one_of({"http-p", "tcp-p", "x-p", "http-more"}) +
           ", port: 8080}]\nendpoints: [" + endpoints + "]\n";
  }
  std::string pod() {
    const std::string app = one_of({"a", "b", "c"});
    return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + app + "-1, namespace: " + ns() +
           ", labels: {app: " + app + ", version: " + one_of({"v1", "v2"}) +
           "}}\nspec: {containers: [{name: app, image: x, ports: [{name: " + "web, containerPort: " +
           one_of({"8080", "8081"}) + "}]}]}\nstatus: {podIP: 10.0.0." +
           std::to_string(1 + random_.below(4)) + "}\n";
  }
  std::string host() {
    return one_of({"a", "b", "a.other", "b.default.svc.cluster.local", "c.istio-system.svc", "far.example",
                   "'*.example'", "'*.default.svc.cluster.local'", "'*'"});
  }
  std::string destination() {
    return "{destination: {host: " + one_of({"a", "b", "c.other", "b.default.svc.cluster.local", "nowhere"}) +
           one_of({"", ", subset: v1", ", port: {number: 80}"}) + "}}";
  }
  std::string virtual_service() {
    const std::string match =
        one_of({"", "match: [{sourceLabels: {version: v2}}], ", "match: [{sourceLabels: {app: a}}], ",
                "match: [{uri: {prefix: /x}}], ", "match: [{port: 80}], ", "match: [{gateways: [mesh]}], "});
    const std::string scope = one_of({"", "gateways: [mesh], ", "gateways: [default/edge, mesh], ",
                                      "gateways: [default/edge], ", "exportTo: ['.'], "});
    const std::string hosts = scope.find("edge") != scope.npos || random_.below(2)
                                  ? "[" + host() + "]"
                                  : "[" + host() + ", " + host() + "]";
    return header("networking.istio.io/v1", "VirtualService", one_of({"r1", "r2", "r3", "r4"}), ns()) +
           "spec: {" + scope + "hosts: " + hosts + ", " +
           (random_.below(4)
                ? "http: [{" + match + "route: [" + destination() + "]}, {route: [" + destination() + "]}]"
                : "tcp: [{route: [" + destination() + "]}]") +
           "}\n";
  }
  std::string destination_rule() {
    return header("networking.istio.io/v1", "DestinationRule", one_of({"d1", "d2", "d3"}), ns()) +
           "spec: {host: " + host() + one_of({"", ", exportTo: ['.']"}) +
           one_of({"", ", trafficPolicy: {loadBalancer: {simple: RANDOM}}",
                   ", trafficPolicy: {connectionPool: {http: {maxRetries: 7}}}"}) +
           ", subsets: [{name: v1, labels: {version: v1}}" +
           one_of({"", ", {name: v2, labels: {version: v2}}"}) + "]}\n";
  }
  std::string gateway() {
    return header("networking.istio.io/v1", "Gateway", "edge", "default") +
           "spec: {selector: {istio: ingressgateway}, servers: [{port: {number: " + one_of({"80", "8080"}) +
           ", name: x, protocol: " + one_of({"HTTP", "TCP"}) + "}, hosts: [" +
           one_of({"'*'", "'*.example'", "./*"}) + "]}]}\n";
  }
  std::string ingress() {
    return header("networking.k8s.io/v1", "Ingress", one_of({"i1", "i2"}), ns()) +
           "spec: {rules: [{host: " + one_of({"far.example", "a.example"}) +
           ", http: {paths: [{path: /, pathType: Prefix, backend: {service: " + "{name: " +
           one_of({"a", "b"}) + ", port: {number: 80}}}}]}}]}\n";
  }

  Random random_;
  std::uint64_t generation_ = 0;
  std::map<api::Key, api::ObjectPtr> objects_;
};

TEST(Translator, carries_over_to_a_later_world_what_a_new_one_makes_of_it) {
  // More of them by hand: SEEDS=1000.
  const char* asked = std::getenv("SEEDS");
  const std::uint64_t seeds = asked ? std::strtoull(asked, nullptr, 10) : 4;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    RandomObjects objects(seed);
    Translator carried;
    std::shared_ptr<const Inputs> before;
    for (std::uint64_t step = 1; step <= 60; ++step) {
      for (std::uint64_t changes = 1 + step % 3; changes > 0; --changes) objects.change();
      if (step % 4 == 0) objects.touch();
      const auto world = objects.world(step);
      const auto inputs = before ? std::make_shared<const Inputs>(world, step, *before)
                                 : std::make_shared<const Inputs>(world, step);
      carried.update(inputs);
      Translator fresh;
      fresh.update(std::make_shared<const Inputs>(world, step));
      for (const ProxyIdentity& proxy : proxies())
        ASSERT_EQ(differences(*carried.translate(proxy), *fresh.translate(proxy)), "")
            << "seed " << seed << " step " << step << " " << proxy.id();
      before = inputs;
    }
    EXPECT_GT(objects.admitted, 30u) << "seed " << seed;
  }
}

std::string service(const std::string& name) {
  return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name +
         ", namespace: default}\nspec: {clusterIP: 10.96.0.1, ports: [{port: 80, name: http}]}\n";
}

class TranslatorSharing : public ::testing::Test {
 protected:
  TranslatorSharing() : objects_(testing::objects(service("a") + service("b") + service("c"))) { update(); }
  void update() {
    auto world = std::make_shared<const World>(World::of(++generation_, objects_));
    inputs_ = inputs_ ? std::make_shared<const Inputs>(world, generation_, *inputs_)
                      : std::make_shared<const Inputs>(world, generation_);
    translator_.update(inputs_);
  }
  void add(const std::string& yaml) {
    for (auto& object : testing::objects(yaml)) objects_.push_back(std::move(object));
    update();
  }

  std::vector<api::ObjectPtr> objects_;
  std::uint64_t generation_ = 0;
  std::shared_ptr<const Inputs> inputs_;
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

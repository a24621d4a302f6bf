#include "control/translation/rules.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "control/testing/objects.h"

namespace weft::control {
namespace {

constexpr std::string_view kServices = R"(
apiVersion: v1
kind: Service
metadata: {name: a, namespace: default}
spec: {ports: [{port: 80, name: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: b, namespace: other}
spec: {ports: [{port: 80, name: http}]}
)";
constexpr std::array<std::string_view, 5> kHosts = {"a", "a.default.svc.cluster.local", "*.example.com",
                                                    "x.example.com", "*.svc.cluster.local"};
constexpr std::array<std::string_view, 3> kNamespaces = {"default", "other", "istio-system"};

/// Rules that come, go and change, one at a time.
class ChangingRules {
 public:
  explicit ChangingRules(std::uint64_t seed) : random_(seed) {
    for (const auto& each : testing::objects(kServices)) services_.push_back(each);
  }
  void change() {
    const std::string name(1, static_cast<char>('p' + random_.below(6)));
    const bool destination = random_.below(2) == 0;
    const std::string ns(any(kNamespaces));
    const std::string key = (destination ? "d" : "v") + ns + name;
    if (random_.below(4) == 0) {
      rules_.erase(key);
      return;
    }
    // What has a time keeps it, as in the store; a change of it is what a rule does that came again.
    std::string& created = created_[key];
    if (created.empty() || random_.below(5) == 0)
      created = "2026-01-0" + std::to_string(1 + random_.below(3)) + "T00:00:00Z";
    const std::string head = "metadata: {name: " + name + ", namespace: " + ns + ", creationTimestamp: '" +
                             created + "'}\nspec: {exportTo: ['" + (random_.below(3) ? "*" : ".") + "'], ";
    rules_[key] = testing::objects(destination ? destination_rule(head) : virtual_service(head)).front();
  }
  ObjectSnapshot snapshot() const {
    std::vector<api::ObjectPtr> all = services_;
    for (const auto& [key, object] : rules_) all.push_back(object);
    return ObjectSnapshot::of(1, std::move(all));
  }

 private:
  template <std::size_t N>
  std::string any(const std::array<std::string_view, N>& texts) {
    return std::string(texts[random_.below(N)]);
  }
  std::string destination_rule(const std::string& head) {
    return "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n" + head + "host: '" + any(kHosts) +
           "', subsets: [{name: s" + std::to_string(random_.below(3)) + ", labels: {v: v1}}]}\n";
  }
  std::string virtual_service(const std::string& head) {
    const std::string gateway = random_.below(4) ? "mesh" : "g";
    const std::string labels =
        random_.below(2) ? "match: [{sourceLabels: {l" + std::to_string(random_.below(2)) + ": x}}], "
                         : std::string();
    return "apiVersion: networking.istio.io/v1\nkind: VirtualService\n" + head + "hosts: ['" + any(kHosts) +
           "'], gateways: [" + gateway + "], http: [{" + labels + "route: [{destination: {host: b" +
           std::to_string(random_.below(3)) + "}}]}]}\n";
  }

  Random random_;
  std::vector<api::ObjectPtr> services_;
  std::map<std::string, api::ObjectPtr> rules_;
  std::map<std::string, std::string> created_;
};

std::string name_of(const VirtualService* rule) {
  return rule ? std::string(rule->object->ns()) + "/" + std::string(rule->object->name()) + " to " +
                    rule->object->body.dump()
              : "none";
}

/// All that rules say when they are asked.
std::string said(const Rules& rules) {
  std::string text;
  for (const VirtualService& rule : rules.virtual_services()) text += name_of(&rule) + "\n";
  for (const std::string& label : rules.source_labels()) text += label + "\n";
  for (const std::string_view ns : kNamespaces)
    for (const std::string_view host : {"a.default.svc.cluster.local", "b.other.svc.cluster.local",
                                        "x.example.com", "y.example.com", "nobody"}) {
      for (const Labels& labels : {Labels(), Labels{{"l0", "x"}}})
        text += name_of(rules.for_mesh(host, ns, Layer::kHttp, {kMesh, 80, labels})) + "\n";
      for (const VirtualService* rule : rules.for_gateway(std::string(ns) + "/g", ns))
        text += name_of(rule) + "\n";
      for (const api::istio::Subset* subset : rules.destination(host, ns).subsets) text += subset->name + " ";
    }
  return text;
}

TEST(Rules, carried_over_say_what_those_made_from_nothing_say) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    ChangingRules changing(seed);
    ObjectSnapshot before = changing.snapshot();
    Registry registry(before);
    Rules rules(before, registry);
    for (int step = 0; step < 40; ++step) {
      changing.change();
      const ObjectSnapshot now = changing.snapshot();
      Registry now_registry(now, before, registry);
      rules = Rules(now, now_registry, before, registry, rules);
      ASSERT_EQ(said(rules), said(Rules(now, now_registry))) << "seed " << seed << " step " << step;
      before = now;
      registry = std::move(now_registry);
    }
  }
}

}  // namespace
}  // namespace weft::control

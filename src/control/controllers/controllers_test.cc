#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "api/admit.h"
#include "control/controllers/plan.h"
#include "control/json.h"
#include "control/testing/objects.h"

namespace weft::control {
namespace {

/// A store in miniature: carries plans out on a list of objects until they are empty, and lets a test play
/// kubelet.
class Cluster {
 public:
  void add(std::string_view yaml) {
    for (const auto& object : testing::objects(yaml)) put(*object);
  }

  /// Runs all controllers until none wants anything; how many writes that took.
  int settle() {
    int writes = 0;
    for (int round = 0; round < 100; ++round) {
      int before = writes;
      for (const Controller& controller : all_controllers()) {
        ObjectSnapshot seen = snapshot();
        PlanContext context{random_, "2026-01-01T00:00:00Z", rejections};
        for (Change& change : controller.plan(seen, context)) {
          carry_out(change);
          ++writes;
        }
      }
      if (writes == before) return writes;
    }
    ADD_FAILURE() << "the controllers never come to rest";
    return writes;
  }

  ObjectSnapshot snapshot() const {
    std::vector<api::ObjectPtr> list;
    for (const auto& [key, object] : objects_) list.push_back(object);
    return ObjectSnapshot::of(1, std::move(list));
  }

  std::vector<api::ObjectPtr> all(const api::KindInfo* kind, std::string_view ns = "default") const {
    std::vector<api::ObjectPtr> list;
    for (const auto& [key, object] : objects_)
      if (key.kind == kind && (key.ns == ns || !kind->namespaced)) list.push_back(object);
    return list;
  }

  api::ObjectPtr get(const api::KindInfo* kind, std::string name) const {
    auto found = objects_.find({kind, "default", std::move(name)});
    return found == objects_.end() ? nullptr : found->second;
  }

  void put(api::Object object) {
    auto& metadata = object.body["metadata"];
    if (!metadata.contains("uid")) metadata["uid"] = "uid-" + std::to_string(++count_);
    metadata["resourceVersion"] = std::to_string(++count_);
    api::Key key = object.key();
    objects_[key] = std::make_shared<const api::Object>(std::move(object));
  }

  /// What the runtime reports of a pod.
  void report(const api::ObjectPtr& pod, bool ready) {
    api::Object changed = *pod;
    changed.body["status"]["podIP"] = "10.244.0." + std::to_string(2 + pod->resource_version() % 200);
    changed.body["status"]["phase"] = "Running";
    changed.body["status"]["conditions"] = {{{"type", "Ready"}, {"status", ready ? "True" : "False"}}};
    put(std::move(changed));
  }
  void report_all(bool ready) {
    for (const auto& pod : all(kinds::pod()))
      if (!is_terminating(*pod)) report(pod, ready);
  }
  /// The runtime has ended the pods that were asked to go.
  void reap() {
    std::erase_if(objects_, [](const auto& entry) { return is_terminating(*entry.second); });
  }

  void remove(const api::Key& key) { objects_.erase(key); }

  std::map<api::Key, std::string> rejections;

 private:
  void carry_out(Change& change) {
    if (change.kind != Change::Kind::kRemove) {
      // What a controller writes has to pass what every write passes.
      auto admitted = api::admit(change.object.body);
      ASSERT_TRUE(admitted) << admitted.error().text;
      return put(std::move(*admitted));
    }
    auto found = objects_.find(change.object.key());
    if (found == objects_.end()) return;
    if (found->first.kind != kinds::pod()) {
      objects_.erase(found);
      return;
    }
    api::Object going = *found->second;
    going.body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
    put(std::move(going));
  }

  std::map<api::Key, api::ObjectPtr> objects_;
  Random random_{1};
  std::uint64_t count_ = 0;
};

constexpr std::string_view kReviews = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-v1, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: reviews}}
  template:
    metadata: {labels: {app: reviews, version: v1}}
    spec:
      containers: [{name: reviews, image: "example/reviews:1", ports: [{containerPort: 9080, name: web}]}]
---
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: default}
spec:
  selector: {app: reviews}
  ports: [{port: 80, name: http, targetPort: web}]
)";

void scale(Cluster& cluster, int replicas) {
  api::Object changed = *cluster.get(kinds::deployment(), "reviews-v1");
  changed.body["spec"]["replicas"] = replicas;
  cluster.put(std::move(changed));
}

void set_image(Cluster& cluster, const char* image) {
  api::Object changed = *cluster.get(kinds::deployment(), "reviews-v1");
  changed.body["spec"]["template"]["spec"]["containers"][0]["image"] = image;
  cluster.put(std::move(changed));
}

std::size_t ready_pods(const Cluster& cluster) {
  auto pods = cluster.all(kinds::pod());
  return static_cast<std::size_t>(
      std::ranges::count_if(pods, [](const auto& pod) { return is_ready(*pod) && !is_terminating(*pod); }));
}

TEST(Controllers, a_deployment_becomes_a_replica_set_and_its_pods_and_then_nothing_more) {
  Cluster cluster;
  cluster.add(kReviews);
  cluster.settle();
  EXPECT_EQ(cluster.settle(), 0);
  auto sets = cluster.all(kinds::replica_set());
  ASSERT_EQ(sets.size(), 1u);
  EXPECT_EQ(std::string(sets[0]->name()).substr(0, 11), "reviews-v1-");
  auto pods = cluster.all(kinds::pod());
  ASSERT_EQ(pods.size(), 2u);
  for (const auto& pod : pods) {
    EXPECT_EQ(pod->name().substr(0, sets[0]->name().size() + 1), std::string(sets[0]->name()) + "-");
    EXPECT_EQ(pod->name().size(), sets[0]->name().size() + 6);
    EXPECT_TRUE(is_owned_by(*pod, *sets[0]));
    EXPECT_EQ(pod->label("pod-template-hash"), sets[0]->label("pod-template-hash"));
    EXPECT_EQ(json::text(pod->spec(), "serviceAccountName"), "default");
  }
  const api::Json status = cluster.get(kinds::deployment(), "reviews-v1")->status();
  EXPECT_EQ(json::number(status, "unavailableReplicas"), 2);
}

TEST(Controllers, ready_pods_are_counted_up_to_the_deployment) {
  Cluster cluster;
  cluster.add(kReviews);
  cluster.settle();
  cluster.report_all(true);
  cluster.settle();
  const api::Json status = cluster.get(kinds::deployment(), "reviews-v1")->status();
  EXPECT_EQ(json::number(status, "readyReplicas"), 2);
  EXPECT_EQ(json::number(status, "availableReplicas"), 2);
  EXPECT_EQ(json::number(status, "updatedReplicas"), 2);
  EXPECT_EQ(json::text(json::list(status, "conditions")[0], "status"), "True");
  EXPECT_EQ(json::text(json::list(status, "conditions")[1], "reason"), "NewReplicaSetAvailable");
}

TEST(Controllers, scaling_down_takes_pods_that_are_not_ready_first) {
  Cluster cluster;
  cluster.add(kReviews);
  cluster.settle();
  auto pods = cluster.all(kinds::pod());
  cluster.report(pods[0], true);
  cluster.report(pods[1], false);
  scale(cluster, 1);
  cluster.settle();
  cluster.reap();
  auto left = cluster.all(kinds::pod());
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0]->name(), pods[0]->name());
}

TEST(Controllers, a_rolling_update_keeps_the_wanted_number_of_ready_pods_until_all_are_new) {
  Cluster cluster;
  cluster.add(kReviews);
  cluster.settle();
  cluster.report_all(true);
  cluster.settle();
  set_image(cluster, "example/reviews:2");
  for (int step = 0; step < 20; ++step) {
    cluster.settle();
    EXPECT_GE(ready_pods(cluster), 2u) << "step " << step;
    EXPECT_LE(cluster.all(kinds::pod()).size(), 3u) << "step " << step;
    cluster.report_all(true);
    cluster.settle();
    cluster.reap();
  }
  auto pods = cluster.all(kinds::pod());
  ASSERT_EQ(pods.size(), 2u);
  for (const auto& pod : pods)
    EXPECT_EQ(json::text(json::list(pod->spec(), "containers")[0], "image"), "example/reviews:2");
  EXPECT_EQ(cluster.all(kinds::replica_set()).size(), 2u) << "the old one stays as history";
}

TEST(Controllers, a_rolling_update_to_something_that_never_gets_ready_leaves_the_old_pods_serving) {
  Cluster cluster;
  cluster.add(kReviews);
  cluster.settle();
  cluster.report_all(true);
  cluster.settle();
  set_image(cluster, "example/broken:1");
  for (int step = 0; step < 10; ++step) {
    cluster.settle();
    cluster.reap();
  }
  EXPECT_EQ(ready_pods(cluster), 2u);
  EXPECT_EQ(cluster.all(kinds::pod()).size(), 3u);
}

TEST(Controllers, recreate_ends_every_old_pod_before_the_first_new_one) {
  Cluster cluster;
  cluster.add(kReviews);
  api::Object changed = *cluster.get(kinds::deployment(), "reviews-v1");
  changed.body["spec"]["strategy"] = {{"type", "Recreate"}};
  cluster.put(std::move(changed));
  cluster.settle();
  cluster.report_all(true);
  cluster.settle();
  set_image(cluster, "example/reviews:2");
  cluster.settle();
  const auto old = cluster.all(kinds::pod());
  EXPECT_EQ(old.size(), 2u) << "a new one waits for the end of the old ones";
  EXPECT_TRUE(std::ranges::all_of(old, [](const auto& pod) { return is_terminating(*pod); }));
  cluster.reap();
  EXPECT_EQ(ready_pods(cluster), 0u);
  cluster.settle();
  EXPECT_EQ(cluster.all(kinds::pod()).size(), 2u);
}

TEST(Controllers, a_replica_sets_status_counts_no_pod_that_the_same_plan_removes) {
  Cluster cluster;
  cluster.add(kReviews);
  cluster.settle();
  cluster.report_all(true);
  cluster.settle();
  api::Object set = *cluster.all(kinds::replica_set()).at(0);
  set.body["spec"]["replicas"] = 1;
  cluster.put(std::move(set));
  const ObjectSnapshot snapshot = cluster.snapshot();
  Random random(1);
  PlanContext context{random, "2026-01-01T00:00:00Z", {}};
  std::size_t removed = 0, told = 0;
  for (const Change& change : plan_replica_sets(snapshot, context)) {
    if (change.kind == Change::Kind::kRemove) ++removed;
    if (change.kind != Change::Kind::kUpdateStatus) continue;
    ++told;
    EXPECT_EQ(change.object.status()["replicas"], 1);
    EXPECT_EQ(change.object.status()["readyReplicas"], 1);
  }
  EXPECT_EQ(removed, 1u);
  EXPECT_EQ(told, 1u);
}

TEST(Controllers, a_replica_sets_pod_that_is_over_is_replaced_and_removed) {
  Cluster cluster;
  cluster.add(kReviews);
  cluster.settle();
  cluster.report_all(true);
  cluster.settle();
  for (const char* phase : {"Failed", "Succeeded"}) {
    api::Object over = *cluster.all(kinds::pod())[0];
    over.body["status"] = {{"phase", phase}};
    const std::string name(over.name());
    cluster.put(std::move(over));
    cluster.settle();
    cluster.reap();
    cluster.settle();
    EXPECT_EQ(cluster.all(kinds::pod()).size(), 2u) << phase;
    EXPECT_EQ(cluster.get(kinds::pod(), name), nullptr) << phase;
    cluster.report_all(true);
    cluster.settle();
  }
}

TEST(Controllers, the_order_of_a_templates_fields_makes_no_new_replica_set) {
  Cluster cluster;
  cluster.add(kReviews);
  cluster.settle();
  api::Object changed = *cluster.get(kinds::deployment(), "reviews-v1");
  api::Json form = changed.body["spec"]["template"];
  changed.body["spec"]["template"] = {{"spec", form["spec"]}, {"metadata", form["metadata"]}};
  cluster.put(std::move(changed));
  cluster.settle();
  EXPECT_EQ(cluster.all(kinds::replica_set()).size(), 1u);
}

TEST(Controllers, services_get_addresses_of_their_own_that_stay_and_headless_ones_none) {
  Cluster cluster;
  std::string yaml;
  for (int i = 0; i < 200; ++i)
    yaml += "apiVersion: v1\nkind: Service\nmetadata: {name: s" + std::to_string(i) +
            ", namespace: default}\nspec: {type: NodePort, selector: {a: b}, ports: [{port: 80}]}\n---\n";
  cluster.add(yaml +
              "apiVersion: v1\nkind: Service\nmetadata: {name: none, namespace: default}\n"
              "spec: {clusterIP: None, selector: {a: b}, ports: [{port: 80}]}\n");
  cluster.settle();
  std::set<std::string> addresses;
  std::set<std::int64_t> node_ports;
  for (const auto& service : cluster.all(kinds::service())) {
    std::string address(json::text(service->spec(), "clusterIP"));
    if (service->name() == "none") {
      EXPECT_EQ(address, "None");
      continue;
    }
    EXPECT_EQ(address.substr(0, 3), "10.");
    EXPECT_TRUE(addresses.insert(address).second) << address;
    std::int64_t port = json::number(json::list(service->spec(), "ports")[0], "nodePort");
    EXPECT_TRUE(port >= 30000 && port <= 32767 && node_ports.insert(port).second) << port;
  }
  EXPECT_EQ(cluster.settle(), 0);
}

TEST(Controllers, endpoint_slices_of_a_service_that_is_gone_go_and_are_not_those_of_the_next_of_its_name) {
  Cluster cluster;
  cluster.add(kReviews);
  cluster.settle();
  cluster.report_all(true);
  cluster.settle();
  const api::Object service = *cluster.all(kinds::service()).at(0);
  const api::Object slice = *cluster.all(kinds::endpoint_slice()).at(0);
  // It was written while its Service was removed: that has taken nothing with it.
  cluster.remove(service.key());
  cluster.settle();
  EXPECT_TRUE(cluster.all(kinds::endpoint_slice()).empty());
  cluster.put(slice);
  api::Object next = service;
  next.body["metadata"]["uid"] = "another";
  cluster.put(next);
  cluster.settle();
  const auto slices = cluster.all(kinds::endpoint_slice());
  ASSERT_EQ(slices.size(), 1u);
  EXPECT_EQ(slices[0]->body["metadata"]["ownerReferences"][0]["uid"], "another");
}

TEST(Controllers, an_endpoint_slice_has_the_pods_with_an_address_and_says_which_are_ready) {
  Cluster cluster;
  cluster.add(kReviews);
  cluster.settle();
  auto slices = cluster.all(kinds::endpoint_slice());
  ASSERT_EQ(slices.size(), 1u);
  EXPECT_TRUE(json::list(slices[0]->body, "endpoints").empty());
  auto pods = cluster.all(kinds::pod());
  cluster.report(pods[0], true);
  cluster.report(pods[1], false);
  cluster.settle();
  auto slice = cluster.all(kinds::endpoint_slice()).at(0);
  EXPECT_EQ(slice->label("kubernetes.io/service-name"), "reviews");
  EXPECT_EQ(json::number(json::list(slice->body, "ports")[0], "port"), 9080) << "the named port is resolved";
  ASSERT_EQ(json::list(slice->body, "endpoints").size(), 2u);
  int ready = 0;
  for (const auto& endpoint : json::list(slice->body, "endpoints"))
    ready += json::boolean(json::map(endpoint, "conditions"), "ready") ? 1 : 0;
  EXPECT_EQ(ready, 1);
}

TEST(Controllers, a_terminating_pod_is_no_ready_endpoint_and_is_replaced) {
  Cluster cluster;
  cluster.add(kReviews);
  cluster.settle();
  cluster.report_all(true);
  cluster.settle();
  api::Object going = *cluster.all(kinds::pod())[0];
  going.body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  cluster.put(std::move(going));
  cluster.settle();
  EXPECT_EQ(cluster.all(kinds::pod()).size(), 3u);
  auto slice = cluster.all(kinds::endpoint_slice()).at(0);
  int terminating = 0, ready = 0;
  for (const auto& endpoint : json::list(slice->body, "endpoints")) {
    const auto& conditions = json::map(endpoint, "conditions");
    terminating += json::boolean(conditions, "terminating") ? 1 : 0;
    ready += json::boolean(conditions, "ready") ? 1 : 0;
  }
  EXPECT_EQ(terminating, 1);
  EXPECT_EQ(ready, 1);
}

TEST(Controllers, every_namespace_gets_a_default_service_account) {
  Cluster cluster;
  cluster.add("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
  cluster.settle();
  EXPECT_EQ(cluster.all(kinds::service_account(), "shop").size(), 1u);
  EXPECT_EQ(cluster.all(kinds::service_account(), "default").size(), 1u);
}

constexpr std::string_view kRule = R"(
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: default}
spec:
  hosts: [reviews]
  http:
  - route: [{destination: {host: reviews, subset: v9}}]
)";

std::string first_condition(const Cluster& cluster, std::string_view part) {
  auto rule = cluster.get(kinds::virtual_service(), "reviews");
  const api::Json& conditions = json::list(rule->status(), "conditions");
  return conditions.empty() ? "" : std::string(json::text(conditions[0], part));
}

TEST(Controllers, a_rule_says_which_subset_it_waits_for_and_that_it_has_come) {
  Cluster cluster;
  cluster.add(kReviews);
  cluster.add(kRule);
  cluster.settle();
  EXPECT_EQ(first_condition(cluster, "status"), "False");
  EXPECT_EQ(first_condition(cluster, "message")
                .find("waits for subset v9 of host reviews.default.svc.cluster.local"),
            0u);
  cluster.add(
      "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: reviews, namespace: "
      "default}\n"
      "spec: {host: reviews, subsets: [{name: v9, labels: {version: v3}}]}\n");
  cluster.settle();
  EXPECT_EQ(first_condition(cluster, "status"), "True");
}

TEST(Controllers, a_rule_of_which_nothing_needs_saying_is_not_written_to) {
  Cluster cluster;
  cluster.add(kReviews);
  cluster.add(
      "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: reviews, namespace: "
      "default}\n"
      "spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}\n");
  cluster.settle();
  EXPECT_EQ(first_condition(cluster, "status"), "");
}

TEST(Controllers, a_rule_that_has_no_effect_says_so_beside_what_it_waits_for) {
  Cluster cluster;
  cluster.add(kReviews);
  const std::string head =
      "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {namespace: default, name: ";
  const std::string spec = "}\nspec: {hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}\n";
  cluster.add(head + "a" + spec);
  cluster.add(head + "b" + spec);
  cluster.settle();
  EXPECT_TRUE(cluster.get(kinds::virtual_service(), "a")->status().empty());
  const api::Json status = cluster.get(kinds::virtual_service(), "b")->status();
  ASSERT_EQ(status["conditions"].size(), 2u) << status;
  EXPECT_EQ(status["conditions"][0]["reason"], "AllFound");
  EXPECT_EQ(status["conditions"][1]["type"], "Effective");
  EXPECT_EQ(status["conditions"][1]["status"], "False");
  EXPECT_EQ(status["validationMessages"][0]["level"], "WARNING");
}

TEST(Controllers, a_rule_that_came_past_validation_says_what_of_it_is_not_done) {
  auto rule = std::make_shared<api::Object>(*testing::objects(
      "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: reviews, namespace: "
      "default}\nspec: {hosts: [api.example], http: [{redirect: {uri: /}}]}\n")[0]);
  rule->body["spec"]["http"][0]["corsPolicy"] = {{"allowOrigins", api::Json::array({{{"exact", "x"}}})}};
  Random random(1);
  PlanContext context{random, "2026-01-01T00:00:00Z"};
  const Plan plan = plan_cluster_rule_statuses(ObjectSnapshot::of(1, {rule}), context);
  ASSERT_EQ(plan.size(), 1u);
  const api::Json status = plan[0].object.status();
  ASSERT_EQ(status["conditions"].size(), 2u) << status;
  EXPECT_EQ(status["conditions"][1]["type"], "Accepted");
  EXPECT_EQ(status["conditions"][1]["status"], "False");
  EXPECT_TRUE(status["conditions"][1]["message"].get<std::string>().starts_with(
      "spec.http[0].corsPolicy: corsPolicy is not"))
      << status;
  EXPECT_EQ(status["validationMessages"][0]["level"], "ERROR");
}

TEST(Controllers, a_rejection_stands_in_the_status_as_long_as_it_stands) {
  Cluster cluster;
  cluster.add(kReviews);
  cluster.add(
      "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: reviews, namespace: "
      "default}\n"
      "spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}\n");
  api::Key key{kinds::virtual_service(), "default", "reviews"};
  cluster.rejections[key] = "ratings-1.default rejected RDS: bad";
  cluster.settle();
  EXPECT_NE(cluster.get(kinds::virtual_service(), "reviews")->status().dump().find("rejected RDS: bad"),
            std::string::npos);
  cluster.rejections.clear();
  cluster.settle();
  EXPECT_EQ(cluster.get(kinds::virtual_service(), "reviews")->status().dump().find("rejected"),
            std::string::npos);
}

TEST(Controllers, an_ingress_has_an_address_and_says_which_backend_is_missing) {
  Cluster cluster;
  cluster.add(
      "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: gateway, namespace: default}\n"
      "spec: {defaultBackend: {service: {name: nothing, port: {number: 80}}}}\n");
  cluster.settle();
  std::string status = cluster.get(kinds::ingress(), "gateway")->status().dump();
  EXPECT_NE(status.find("127.0.0.1"), std::string::npos) << status;
  EXPECT_NE(status.find("waits for backend nothing.default"), std::string::npos) << status;
  EXPECT_EQ(cluster.settle(), 0);
}

}  // namespace
}  // namespace weft::control

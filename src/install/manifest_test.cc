#include "install/manifest.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "api/yaml_reader.h"
#include "install/custom_resources.h"

namespace weft::install {
namespace {

using api::Json;

Plan plan_of(std::string_view profile, std::vector<std::string> sets = {}) {
  auto plan = Plan::read(profile, sets);
  EXPECT_TRUE(plan) << (plan ? "" : plan.error().text);
  return plan ? *plan : Plan{};
}

std::string rejected(std::string_view profile, std::vector<std::string> sets = {}) {
  const auto plan = Plan::read(profile, sets);
  return plan ? "accepted" : plan.error().text;
}

std::vector<Json> objects_of(const Plan& plan) {
  const std::string text = manifest(plan);
  const api::YamlStream stream = api::read_yaml(text);
  EXPECT_FALSE(stream.fault) << stream.fault->text;
  std::vector<Json> objects;
  for (const auto& document : stream.documents) objects.push_back(document.value);
  return objects;
}

Json find(const std::vector<Json>& objects, std::string_view kind, std::string_view name) {
  for (const Json& each : objects)
    if (each["kind"] == kind && each["metadata"]["name"] == name) return each;
  return nullptr;
}

constexpr std::string_view kProfiles[] = {"minimal", "default", "demo", "walkthrough"};

TEST(Manifest, of_every_profile_can_be_read_and_is_labelled_and_the_same_each_time) {
  for (const std::string_view profile : kProfiles) {
    const Plan plan = plan_of(profile);
    EXPECT_EQ(manifest(plan), manifest(plan));
    for (const Json& each : objects_of(plan))
      EXPECT_EQ(each["metadata"]["labels"]["app.kubernetes.io/part-of"], "weft") << each["metadata"]["name"];
  }
}

TEST(Manifest, creates_what_others_need_before_them) {
  std::set<std::string> namespaces;
  bool definitions_over = false;
  for (const Json& each : objects_of(plan_of("walkthrough"))) {
    const std::string kind = each["kind"];
    if (kind == "Namespace") namespaces.insert(each["metadata"]["name"]);
    if (each["metadata"].contains("namespace")) {
      EXPECT_TRUE(namespaces.contains(each["metadata"]["namespace"])) << each["metadata"]["name"];
      definitions_over = true;
    }
    if (kind == "CustomResourceDefinition") EXPECT_FALSE(definitions_over);
  }
}

TEST(Manifest, has_a_gateway_but_in_the_minimal_profile_and_the_ingress_of_the_walk_through_in_its_own) {
  EXPECT_TRUE(find(objects_of(plan_of("minimal")), "Deployment", "istio-ingressgateway").is_null());
  EXPECT_FALSE(find(objects_of(plan_of("default")), "Deployment", "istio-ingressgateway").is_null());
  EXPECT_TRUE(find(objects_of(plan_of("default")), "Service", "istio-ingress").is_null());
  const auto objects = objects_of(plan_of("walkthrough"));
  const Json service = find(objects, "Service", "istio-ingress");
  EXPECT_EQ(service["metadata"]["namespace"], "istio-system");
  EXPECT_EQ(service["spec"]["type"], "NodePort");
  EXPECT_EQ(service["spec"]["ports"][0]["port"], 80);
  const Json pods = find(objects, "Deployment", "istio-ingress")["spec"]["template"]["metadata"]["labels"];
  EXPECT_EQ(pods["istio"], "ingress");
}

TEST(Manifest, asks_for_no_right_by_a_wildcard) {
  for (const std::string_view profile : kProfiles)
    for (const Json& each : objects_of(plan_of(profile))) {
      if (each["kind"] != "ClusterRole" && each["kind"] != "Role") continue;
      for (const Json& rule : each["rules"])
        for (const char* list : {"apiGroups", "resources", "verbs"})
          for (const Json& text : rule[list]) EXPECT_NE(text, "*") << each["metadata"]["name"];
    }
}

TEST(Manifest, runs_every_container_without_privilege_on_a_file_system_it_cannot_write) {
  int containers = 0;
  for (const Json& each : objects_of(plan_of("walkthrough"))) {
    if (each["kind"] != "Deployment") continue;
    for (const Json& container : each["spec"]["template"]["spec"]["containers"]) {
      const Json& context = container["securityContext"];
      EXPECT_EQ(context["readOnlyRootFilesystem"], true);
      EXPECT_EQ(context["allowPrivilegeEscalation"], false);
      EXPECT_EQ(context["capabilities"]["drop"], Json::array({"ALL"}));
      ++containers;
    }
  }
  EXPECT_EQ(containers, 3);
}

TEST(Manifest, injects_or_fails_and_validates_only_when_that_has_been_proven) {
  const auto objects = objects_of(plan_of("default"));
  for (const Json& hook :
       find(objects, "MutatingWebhookConfiguration", "weft-sidecar-injector")["webhooks"]) {
    EXPECT_EQ(hook["failurePolicy"], "Fail");
    EXPECT_TRUE(std::string(hook["name"]).ends_with("sidecar-injector.istio.io"));
  }
  for (const Json& hook : find(objects, "ValidatingWebhookConfiguration", "weft-validator")["webhooks"])
    EXPECT_EQ(hook["failurePolicy"], "Ignore");
}

/// Whether labels satisfy a selector's expressions, as Kubernetes reads them: NotIn holds for an absent key.
bool selects(const Json& selector, const Json& labels) {
  for (const Json& each : selector["matchExpressions"]) {
    const std::string key = each["key"], op = each["operator"];
    const bool there = labels.contains(key);
    bool listed = false;
    if (each.contains("values"))
      for (const Json& value : each["values"]) listed |= there && value == labels[key];
    if (op == "In" && !listed) return false;
    if (op == "NotIn" && listed) return false;
    if (op == "Exists" && !there) return false;
    if (op == "DoesNotExist" && there) return false;
  }
  return true;
}

/// Labels of those that have a value.
Json labels_of(std::initializer_list<std::pair<const char*, std::string>> all) {
  Json made = Json::object();
  for (const auto& [key, value] : all)
    if (!value.empty()) made[key] = value;
  return made;
}

/// Istio's table: a namespace that speaks decides, but for the pod's own "false"; else the pod does.
bool wants_sidecar(const std::string& injection, const std::string& ns_revision, const std::string& inject,
                   const std::string& revision) {
  if (inject == "false" || injection == "disabled") return false;
  if (injection == "enabled") return true;
  if (!ns_revision.empty()) return ns_revision == "default";
  if (!revision.empty()) return revision == "default";
  return inject == "true";
}

TEST(Manifest, sends_a_pod_to_one_webhook_or_none_by_the_labels_of_its_namespace_and_its_own) {
  const Json hooks = find(objects_of(plan_of("default")), "MutatingWebhookConfiguration",
                          "weft-sidecar-injector")["webhooks"];
  ASSERT_EQ(hooks.size(), 4u);
  const std::vector<std::string> revisions = {"", "default", "other"};
  std::set<std::string> used;
  for (const std::string ns : {"shop", "kube-system", "weft-system"})
    for (const std::string injection : {"", "enabled", "disabled"})
      for (const std::string& ns_revision : revisions)
        for (const std::string inject : {"", "true", "false"})
          for (const std::string& revision : revisions) {
            const Json outer = labels_of({{"kubernetes.io/metadata.name", ns},
                                          {"istio-injection", injection},
                                          {"istio.io/rev", ns_revision}});
            const Json inner = labels_of({{"sidecar.istio.io/inject", inject}, {"istio.io/rev", revision}});
            int matches = 0;
            for (const Json& hook : hooks)
              if (selects(hook["namespaceSelector"], outer) && selects(hook["objectSelector"], inner)) {
                ++matches;
                used.insert(hook["name"]);
              }
            const bool wanted = ns == "shop" && wants_sidecar(injection, ns_revision, inject, revision);
            EXPECT_EQ(matches, wanted ? 1 : 0) << outer << inner;
          }
  EXPECT_EQ(used.size(), 4u) << "each webhook has pods of its own";
}

TEST(Manifest, takes_wishes_by_name_and_rejects_others) {
  const auto objects =
      objects_of(plan_of("default", {"image=registry.test/weft:7", "gateway.nodePort=31380"}));
  const Json control = find(objects, "Deployment", "weft-control");
  EXPECT_EQ(control["spec"]["template"]["spec"]["containers"][0]["image"], "registry.test/weft:7");
  EXPECT_NE(find(objects, "Service", "istio-ingressgateway").dump().find("31380"), std::string::npos);
  EXPECT_NE(rejected("defualt").find("default"), std::string::npos) << rejected("defualt");
  EXPECT_NE(rejected("default", {"imgae=x"}).find("image"), std::string::npos);
  EXPECT_NE(rejected("default", {"gateway.nodePort=70000"}).find("70000"), std::string::npos)
      << rejected("default", {"gateway.nodePort=70000"});
  EXPECT_NE(rejected("default", {"gateway.nodePort"}), "accepted");
  EXPECT_NE(rejected("minimal", {"gateway.nodePort=31380"}), "accepted");
}

TEST(Manifest, is_undone_by_the_names_of_all_that_it_makes) {
  const Plan plan = plan_of("walkthrough");
  const api::YamlStream removal = api::read_yaml(removal_manifest(plan));
  ASSERT_FALSE(removal.fault);
  std::set<std::string> gone;
  for (const auto& document : removal.documents)
    gone.insert(document.value["kind"].get<std::string>() + " " +
                document.value["metadata"]["name"].get<std::string>());
  for (const Json& each : objects_of(plan)) {
    const std::string name =
        each["kind"].get<std::string>() + " " + each["metadata"]["name"].get<std::string>();
    EXPECT_TRUE(gone.contains(name)) << name;
  }
}

/// What Kubernetes asks of a structural schema: every value has a type, or says that it is one of two or
/// that it is kept as it is.
void expect_structural(const Json& schema, const std::string& at) {
  const bool open = schema.value("x-kubernetes-preserve-unknown-fields", false);
  EXPECT_TRUE(schema.contains("type") || schema.value("x-kubernetes-int-or-string", false) || open) << at;
  EXPECT_FALSE(schema.contains("$ref")) << at;
  if (schema.value("type", "") == "array") {
    ASSERT_TRUE(schema.contains("items")) << at;
    expect_structural(schema["items"], at + "[]");
  }
  if (schema.contains("properties")) {
    EXPECT_FALSE(schema.contains("additionalProperties")) << at;
    for (const auto& [name, field] : schema["properties"].items()) expect_structural(field, at + "." + name);
  }
  if (schema.contains("additionalProperties")) expect_structural(schema["additionalProperties"], at + "{}");
}

TEST(CustomResources, of_the_gateway_api_say_whose_subset_they_are) {
  int of_the_gateway_api = 0;
  for (const CustomKind& kind : custom_kinds(true)) {
    const Json& annotations =
        custom_resource_definition(kind)["metadata"].value("annotations", Json::object());
    const bool theirs = kind.kind->group == "gateway.networking.k8s.io";
    of_the_gateway_api += theirs;
    // What `kubectl get crd` and the Gateway API's own upgrade go by.
    EXPECT_EQ(annotations.contains("gateway.networking.k8s.io/bundle-version"), theirs) << kind.name();
    EXPECT_EQ(annotations.contains("api-approved.kubernetes.io"), theirs) << kind.name();
  }
  EXPECT_GE(of_the_gateway_api, 4);
}

TEST(CustomResources, are_structural_and_store_one_version) {
  const auto kinds = custom_kinds(true);
  EXPECT_GE(kinds.size(), 7u);
  EXPECT_LT(custom_kinds(false).size(), kinds.size());
  for (const CustomKind& kind : kinds) {
    const Json definition = custom_resource_definition(kind);
    EXPECT_EQ(definition["metadata"]["name"], kind.name());
    int stored = 0;
    for (const Json& version : definition["spec"]["versions"]) {
      stored += version["storage"] == true;
      EXPECT_TRUE(version["subresources"].contains("status")) << kind.name();
      expect_structural(version["schema"]["openAPIV3Schema"], kind.name());
    }
    EXPECT_EQ(stored, 1) << kind.name();
  }
}

}  // namespace
}  // namespace weft::install

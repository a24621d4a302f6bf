#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/random.h"
#include "control/json.h"
#include "control/testing/fake_raw_api.h"
#include "control/testing/memory_store.h"
#include "control/testing/objects.h"
#include "control/webhook/injection.h"
#include "control/webhook/injector_settings.h"
#include "control/webhook/validation.h"
#include "control/webhook/webhook_configurations.h"

namespace weft::control {
namespace {

api::Json pod(const std::string& metadata) {
  return api::Json::parse(R"({"apiVersion": "v1", "kind": "Pod", "metadata": )" + metadata +
                          R"(, "spec": {"containers": [{"name": "app", "image": "x"}]}})");
}

std::string review(const api::Json& object, const std::string& operation = "CREATE") {
  return api::Json{{"apiVersion", "admission.k8s.io/v1"},
                   {"kind", "AdmissionReview"},
                   {"request",
                    {{"uid", "u-1"},
                     {"namespace", "default"},
                     {"name", "x"},
                     {"operation", operation},
                     {"object", object}}}}
      .dump();
}

AdmissionResponse inject(const api::Json& object) {
  auto request = read_admission_review(review(object));
  EXPECT_TRUE(request) << request.error().text;
  return inject_pod(*request, inject::Settings());
}

TEST(Webhook, a_pod_comes_back_with_a_patch_that_makes_it_an_injected_one) {
  api::Json object = pod(R"({"generateName": "a-"})");
  AdmissionResponse answer = inject(object);
  ASSERT_TRUE(answer.allowed) << answer.message;
  api::Json written = api::Json::parse(write_admission_review("u-1", answer));
  EXPECT_EQ(written["response"]["uid"], "u-1");
  EXPECT_EQ(written["response"]["patchType"], "JSONPatch");
  auto bytes = decode_base64(written["response"]["patch"].get<std::string>());
  ASSERT_TRUE(bytes);
  api::Json patched = object.patch(api::Json::parse(*bytes));
  std::string text = patched.dump();
  EXPECT_NE(text.find("\"istio-proxy\""), std::string::npos);
  EXPECT_NE(text.find("sidecar.istio.io/status"), std::string::npos);
}

TEST(Webhook, a_pod_that_is_not_to_be_injected_is_allowed_without_a_patch) {
  AdmissionResponse answer = inject(pod(R"({"name": "a", "labels": {"sidecar.istio.io/inject": "false"}})"));
  EXPECT_TRUE(answer.allowed);
  EXPECT_TRUE(answer.patch.is_null());
}

TEST(Webhook, a_map_of_more_entries_than_anybody_writes_rejects_the_pod_before_it_is_compared) {
  api::Json object = pod(R"({"name": "a"})");
  for (int i = 0; i < 1000; ++i) object["metadata"]["annotations"]["k" + std::to_string(i)] = "";
  EXPECT_TRUE(inject(object).allowed);
  object["metadata"]["annotations"]["one more"] = "";
  EXPECT_EQ(inject(object).message, "the pod has a list or map of more than 1,000 entries, which none needs");
  object["metadata"]["labels"]["sidecar.istio.io/inject"] = "false";
  EXPECT_TRUE(inject(object).allowed);
}

TEST(Webhook, a_wrong_annotation_rejects_the_pod_and_is_named) {
  AdmissionResponse answer = inject(pod(
      R"({"name": "a", "annotations": {"traffic.sidecar.istio.io/includeOutboundIPRanges": "10.0.0.0/99"}})"));
  EXPECT_FALSE(answer.allowed);
  EXPECT_NE(answer.message.find("traffic.sidecar.istio.io/includeOutboundIPRanges"), std::string::npos);
}

std::string owner(const std::string& metadata) {
  inject::Owner found = owner_of_pod(pod(metadata), "default");
  return found.api_version + " " + found.kind + " " + found.name;
}

TEST(Webhook, the_owner_is_guessed_from_what_the_pod_says) {
  auto owned = [](const std::string& version, const std::string& kind, const std::string& name,
                  const std::string& labels) {
    return R"({"name": "p", "labels": {)" + labels +
           R"(}, "ownerReferences": [{"controller": true, "apiVersion": ")" + version + R"(", "kind": ")" +
           kind + R"(", "name": ")" + name + R"("}]})";
  };
  EXPECT_EQ(owner(owned("apps/v1", "ReplicaSet", "reviews-v1-5d8f", R"("pod-template-hash": "5d8f")")),
            "apps/v1 Deployment reviews-v1");
  EXPECT_EQ(owner(owned("apps/v1", "ReplicaSet", "r-77", R"("rollouts-pod-template-hash": "77")")),
            "argoproj.io/v1alpha1 Rollout r");
  EXPECT_EQ(owner(owned("apps/v1", "ReplicaSet", "alone", "")), "apps/v1 ReplicaSet alone");
  EXPECT_EQ(owner(owned("batch/v1", "Job", "backup-28123456", "")), "batch/v1 CronJob backup");
  EXPECT_EQ(owner(owned("batch/v1", "Job", "once-12", "")), "batch/v1 Job once-12");
  EXPECT_EQ(owner(owned("v1", "ReplicationController", "shop-3", R"("deploymentconfig": "shop")")),
            "apps.openshift.io/v1 DeploymentConfig shop");
  EXPECT_EQ(owner(R"({"generateName": "tool-"})"), "v1 Pod tool");
}

AdmissionResponse validate(const std::string& object, const std::string& operation = "CREATE") {
  auto request = read_admission_review(review(api::Json::parse(object), operation));
  EXPECT_TRUE(request);
  return validate_object(*request);
}

TEST(Webhook, validation_answers_with_field_and_reason_and_rejects_unknown_fields) {
  std::string head =
      R"({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "r", "namespace": "default"}, "spec": )";
  EXPECT_TRUE(
      validate(head + R"({"hosts": ["r"], "http": [{"route": [{"destination": {"host": "r"}}]}]}})").allowed);
  AdmissionResponse unknown = validate(
      head + R"({"hosts": ["r"], "htp": [], "http": [{"route": [{"destination": {"host": "r"}}]}]}})");
  EXPECT_FALSE(unknown.allowed);
  EXPECT_NE(unknown.message.find("spec.htp"), std::string::npos) << unknown.message;
  AdmissionResponse empty = validate(head + R"({"hosts": ["r"], "http": [{}]}})");
  EXPECT_FALSE(empty.allowed);
  EXPECT_NE(empty.message.find("spec.http[0]"), std::string::npos) << empty.message;
  EXPECT_TRUE(validate(head + "{}}", "DELETE").allowed);
  AdmissionResponse foreign = validate(
      R"({"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": {"name": "e"}})");
  EXPECT_TRUE(foreign.allowed);
  EXPECT_EQ(foreign.warnings.size(), 1u);
}

TEST(Webhook, what_there_is_to_say_of_a_good_rule_is_a_warning_with_its_field) {
  const std::string head =
      R"({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "r", "namespace": "default"}, "spec": )";
  int asked = 0;
  const RemarksOnWrite waits = [&](const api::ObjectPtr& object) {
    ++asked;
    EXPECT_EQ(object->name(), "r");
    return Remarks{{Remark::Kind::kWaits, "spec.hosts[0]", "waits for host r"},
                   {Remark::Kind::kNoEffect, "", "has no effect"}};
  };
  auto answer = [&](const std::string& spec) {
    auto request = read_admission_review(review(api::Json::parse(head + spec + "}")));
    EXPECT_TRUE(request);
    return validate_object(*request, waits);
  };
  AdmissionResponse good =
      answer(R"({"hosts": ["r"], "http": [{"route": [{"destination": {"host": "r"}}]}]})");
  EXPECT_TRUE(good.allowed);
  EXPECT_EQ(good.warnings, (std::vector<std::string>{"spec.hosts[0]: waits for host r", "has no effect"}));
  EXPECT_FALSE(answer(R"({"hosts": ["r"], "http": [{}]})").allowed);
  EXPECT_EQ(asked, 1) << "of a rule that is rejected nothing else is said";
}

TEST(Webhook, an_object_that_waits_for_a_finalizer_is_no_wrong_object) {
  EXPECT_TRUE(
      validate(
          R"({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "r", "generateName": "r-", "namespace": "default", "finalizers": ["foregroundDeletion"]}, "spec": {"hosts": ["r"], "http": [{"route": [{"destination": {"host": "r"}}]}]}})")
          .allowed);
}

TEST(Webhook, a_bad_object_that_is_stored_can_be_labelled_and_deleted_and_not_made_worse) {
  auto object = [](const std::string& metadata, const std::string& percent, const std::string& more = "") {
    return api::Json::parse(
        R"({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "r", "namespace": "default")" +
        metadata +
        R"(}, "spec": {"hosts": ["r"], "http": [{"route": [{"destination": {"host": "r"}}], "headers": {"request": {"set": {"x": ")" +
        percent + "\"}}}" + more + "}]}}");
  };
  auto update = [](const api::Json& from, const api::Json& to) {
    api::Json body = api::Json::parse(review(to, "UPDATE"));
    body["request"]["oldObject"] = from;
    auto request = read_admission_review(body.dump());
    EXPECT_TRUE(request);
    return validate_object(*request);
  };
  const std::string label = R"(, "labels": {"a": "b"})";
  const api::Json bad = object("", "100%"), good = object("", "100");
  ASSERT_FALSE(validate(bad.dump()).allowed);
  const AdmissionResponse labelled = update(bad, object(label, "100%"));
  EXPECT_TRUE(labelled.allowed) << labelled.message;
  ASSERT_EQ(labelled.warnings.size(), 1u);
  EXPECT_NE(labelled.warnings[0].find("headers.request.set.x"), std::string::npos) << labelled.warnings[0];
  EXPECT_FALSE(update(good, bad).allowed) << "a new fault";
  EXPECT_FALSE(update(bad, object("", "50%")).allowed) << "another one";
  EXPECT_FALSE(update(bad, object("", "100%", R"(, "timeout": "1s")")).allowed) << "another spec";
  EXPECT_TRUE(update(bad, good).allowed);
  const std::string going =
      R"(, "deletionTimestamp": "2026-03-01T00:00:00Z", "deletionGracePeriodSeconds": 0)";
  EXPECT_TRUE(update(object(going + R"(, "finalizers": ["a.b/c"])", "100%"), object(going, "100%")).allowed);
}

TEST(Webhook, bytes_that_are_no_review_are_an_error_and_never_worse) {
  EXPECT_FALSE(read_admission_review(""));
  EXPECT_FALSE(read_admission_review("[]"));
  EXPECT_FALSE(read_admission_review(std::string(1'000'000, '[')));
  std::string deep =
      R"({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u", "object": )";
  for (int i = 0; i < 200; ++i) deep += R"({"a":)";
  EXPECT_FALSE(read_admission_review(deep));
  Random random(7);
  const std::string good =
      review(pod(R"({"name": "a", "labels": {"app": "x"}, "annotations": {"prometheus.io/port": "80"}})"));
  const std::string_view bytes = "0\"{}[],:-eE\\unltrf x\xff";
  for (int round = 0; round < 20'000; ++round) {
    std::string text = good;
    for (int i = 0; i < 3; ++i) text[random.below(text.size())] = bytes[random.below(bytes.size())];
    auto request = read_admission_review(text);
    if (!request) continue;
    EXPECT_FALSE(write_admission_review(request->uid, inject_pod(*request, inject::Settings())).empty());
    EXPECT_FALSE(write_admission_review(request->uid, validate_object(*request)).empty());
  }
}

TEST(Webhook, values_of_every_wrong_type_in_a_pod_are_answers) {
  const api::Json whole =
      pod(R"({"name": "a", "labels": {"app": "x"}, "annotations": {"prometheus.io/port": "80"}})");
  for (const auto& [path, value] : whole.flatten().items()) {
    for (const char* wrong : {"null", "7", "[]", "{}", "\"x\"", "true", "[7]", "{\"a\":7}"}) {
      for (api::Json::json_pointer at(path); !at.empty(); at = at.parent_pointer()) {
        api::Json changed = whole;
        changed[at] = api::Json::parse(wrong);
        AdmissionRequest request{
            .uid = "u", .ns = "default", .name = "x", .operation = "CREATE", .object = changed};
        EXPECT_FALSE(write_admission_review("u", inject_pod(request, inject::Settings())).empty());
      }
    }
  }
}

class WebhookStoreTest : public ::testing::Test {
 protected:
  void put_settings(const std::string& text) {
    api::Object object{api::find_kind_by_plural("", "configmaps"),
                       {{"apiVersion", "v1"},
                        {"kind", "ConfigMap"},
                        {"metadata", {{"name", "weft-injector"}, {"namespace", "weft-system"}}},
                        {"data", {{"settings", text}}}}};
    store.put(std::move(object));
    loop->advance(1ms);
  }
  void put_configuration(const api::KindInfo* kind, const std::string& name, api::Json webhooks) {
    store.put({kind,
               {{"apiVersion", kind->api_version()},
                {"kind", std::string(kind->kind)},
                {"metadata", {{"name", name}}},
                {"webhooks", std::move(webhooks)}}});
    loop->advance(1ms);
  }
  api::Json webhook(const api::KindInfo* kind, std::size_t index = 0) {
    return store.all(kind).at(0)->body["webhooks"][index];
  }

  const api::KindInfo* mutating = kinds::mutating_webhook_configuration();
  const api::KindInfo* validating = kinds::validating_webhook_configuration();
  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  testing::MemoryStore store{*loop};
  testing::FakeRawApi api;
};

TEST_F(WebhookStoreTest, settings_are_read_again_and_the_last_good_ones_stay) {
  InjectorSettings settings(*loop, store, "weft-system");
  settings.start();
  loop->advance(1ms);
  EXPECT_TRUE(settings.synced());
  put_settings("image: weft.dev/weft:one\n");
  EXPECT_EQ(settings.current().image, "weft.dev/weft:one");
  put_settings("imagge: weft.dev/weft:two\n");
  EXPECT_EQ(settings.current().image, "weft.dev/weft:one");
  EXPECT_NE(settings.problem().find("imagge"), std::string::npos);
  put_settings("image: weft.dev/weft:two\n");
  EXPECT_EQ(settings.current().image, "weft.dev/weft:two");
  EXPECT_EQ(settings.problem(), "");
}

TEST_F(WebhookStoreTest, settings_ask_for_nothing_that_the_cluster_does_not_have_whenever_they_are_read) {
  InjectorSettings settings(*loop, store, "weft-system");
  settings.fit_to_cluster(29);
  settings.start();
  loop->advance(1ms);
  EXPECT_TRUE(settings.current().native);
  EXPECT_FALSE(settings.current().pre_stop_sleep);
  settings.fit_to_cluster(28);
  EXPECT_FALSE(settings.current().native);
  put_settings("native: true\n");
  EXPECT_FALSE(settings.current().native)
      << "its API server would take restartPolicy away, and the pod never start";
}

TEST_F(WebhookStoreTest, our_bundle_is_put_back_and_a_foreign_webhook_is_left_alone) {
  api::Json hooks = {{{"name", "namespace.sidecar-injector.istio.io"}, {"clientConfig", {{"caBundle", ""}}}},
                     {{"name", "other.example.com"}, {"clientConfig", {{"caBundle", "b3RoZXI="}}}}};
  put_configuration(mutating, "weft-sidecar-injector", hooks);
  put_configuration(mutating, "istio-sidecar-injector", hooks);
  WebhookConfigurations configurations(*loop, store, api, "ROOT", "weft-system");
  configurations.start();
  loop->advance(1ms);
  auto ours = [&] {
    for (const auto& each : store.all(mutating))
      if (each->name() == "weft-sidecar-injector") return each;
    return api::ObjectPtr();
  };
  EXPECT_EQ(ours()->body["webhooks"][0]["clientConfig"]["caBundle"], encode_base64("ROOT"));
  EXPECT_EQ(ours()->body["webhooks"][1]["clientConfig"]["caBundle"], "b3RoZXI=");
  EXPECT_EQ(webhook(mutating)["clientConfig"]["caBundle"], "") << "another installation's";
  put_configuration(mutating, "weft-sidecar-injector", hooks);
  loop->advance(100ms);
  EXPECT_EQ(ours()->body["webhooks"][0]["clientConfig"]["caBundle"], encode_base64("ROOT"));
}

TEST_F(WebhookStoreTest, validation_becomes_Fail_only_after_the_API_server_has_rejected_a_bad_object_by_it) {
  bool reachable = false;
  api.answer = [&reachable](const store::RawRequest& request) -> Result<api::Json> {
    EXPECT_NE(request.path.find("dryRun=All"), std::string::npos);
    AdmissionRequest asked{
        .uid = "u", .ns = "weft-system", .name = "x", .operation = "CREATE", .object = request.body};
    AdmissionResponse verdict = validate_object(asked);
    EXPECT_FALSE(verdict.allowed);
    if (!reachable) return request.body;  // failurePolicy Ignore lets it through
    return fail(Error::config(
        Code::kInvalid, "admission webhook \"validation.istio.io\" denied the request: " + verdict.message));
  };
  put_configuration(validating, "weft-validator",
                    {{{"name", "validation.istio.io"},
                      {"clientConfig", api::Json::object()},
                      {"failurePolicy", "Ignore"}}});
  WebhookConfigurations configurations(*loop, store, api, "ROOT", "weft-system");
  configurations.start();
  loop->advance(5s);
  EXPECT_EQ(webhook(validating)["clientConfig"]["caBundle"], encode_base64("ROOT"));
  EXPECT_EQ(webhook(validating)["failurePolicy"], "Ignore");
  EXPECT_FALSE(configurations.proven());
  reachable = true;
  loop->advance(2s);
  EXPECT_TRUE(configurations.proven());
  EXPECT_EQ(webhook(validating)["failurePolicy"], "Fail");
}

}  // namespace
}  // namespace weft::control

#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "api/json_text.h"
#include "http/client.h"
#include "http/server.h"
#include "store/api_server.h"
#include "store/embedded_store.h"
#include "store/remote_store.h"
#include "store/testing/run.h"

namespace weft::store {
namespace {

using testing::Directory;
using testing::run;
using testing::run_until;

constexpr const char* kMaps = "/api/v1/namespaces/default/configmaps";

/// A store's HTTP face as any client sees it.
class ApiRequests : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = EmbeddedStore::open(loop_, directory_.path + "/store");
    ASSERT_TRUE(opened) << opened.error().text;
    store_ = std::move(*opened);
    api_ = std::make_unique<ApiServer>(loop_, *store_, &store_->dry_run());
    http::ServerOptions options;
    options.max_connections = 4;
    auto server = http::Server::listen(
        loop_, at_,
        [this](http::ServerExchange& exchange) {
          if (before_) std::exchange(before_, nullptr)();
          return api_->handle(exchange);
        },
        options);
    ASSERT_TRUE(server) << server.error().text;
    server_ = std::move(*server);
    ASSERT_EQ(ask("POST", kMaps, R"({"metadata":{"name":"there"},"data":{"key":"1"}})"), 201);
  }
  /// The status; the body is then in `response_`.
  int ask(const std::string& method, const std::string& path, const std::string& body = "",
          const std::string& type = "application/json") {
    http::Request request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.headers.add("content-type", type);
    http::FetchOptions options;
    options.deadline = SteadyClock::now() + 20s;
    auto got = run(loop_, http::fetch(loop_, at_, std::move(request), options));
    EXPECT_TRUE(got) << method << " " << path << ": " << got.error().text;
    if (!got) return 0;
    response_ = api::parse_json(got->body);
    EXPECT_TRUE(response_.is_object() || got->head.status == 200) << got->body;
    return got->head.status;
  }
  int patch(const std::string& path, const std::string& body) {
    return ask("PATCH", path, body, "application/merge-patch+json");
  }
  /// What others write in the turn in which the next request comes.
  template <class T>
  static net::Task<void> make(net::Task<Result<T>> write) {
    EXPECT_TRUE(co_await std::move(write));
  }
  std::string message() const { return api::json_string(response_, "message"); }
  std::string value_of(const char* name) {
    const auto found = run(loop_, store_->get({api::find_kind("v1", "ConfigMap"), "default", name}));
    return found ? api::json_string(api::json_member((*found)->body, "data"), "key") : "absent";
  }

  net::Loop loop_;
  Directory directory_;
  net::Address at_ = *net::Address::unix_path(directory_.path + "/api.sock");
  std::unique_ptr<EmbeddedStore> store_;
  std::unique_ptr<ApiServer> api_;
  std::unique_ptr<http::Server> server_;
  api::Json response_;
  std::function<void()> before_;
  net::TaskScope writes_;
};

TEST_F(ApiRequests, members_of_a_wrong_type_are_errors_that_name_them) {
  const std::vector<std::pair<std::string, std::string>> bodies = {
      {R"({"metadata":{"name":"a","namespace":7}})", "metadata.namespace"},
      {R"({"metadata":{"name":7}})", "metadata.name"},
      {R"({"metadata":7})", "metadata"},
      {R"({"apiVersion":7,"metadata":{"name":"a"}})", "apiVersion"},
      {R"({"kind":["ConfigMap"],"metadata":{"name":"a"}})", "kind"},
      {R"({"metadata":{"name":null}})", "metadata.name"},
      {R"({"metadata":{"generateName":{}}})", "metadata"},
      {R"({"metadata":{"name":"a","labels":7}})", "metadata.labels"},
      {R"({"metadata":{"name":"a","ownerReferences":7}})", "metadata.ownerReferences"},
      {R"({"metadata":{"name":"a","ownerReferences":[7]}})", "metadata.ownerReferences"},
      {"7", "JSON object"},
      {"[]", "JSON object"},
      {"{\"metadata\":{\"name\":\"\xff\"}}", "JSON object"},
      {std::string(100'000, '['), "JSON object"}};
  for (const auto& [body, named] : bodies) {
    EXPECT_EQ(ask("POST", kMaps, body), 422) << body.substr(0, 100);
    EXPECT_NE(message().find(named), std::string::npos) << message();
  }
  for (const char* body : {R"({"metadata":{"name":7}})", R"({"metadata":{"name":"other"}})", R"({"kind":7})",
                           R"({"status":7})", R"({"status":[]})"})
    for (const char* path : {"/there", "/there/status"})
      if (!std::string(body).contains("status") || std::string(path).contains("status"))
        EXPECT_EQ(ask("PUT", kMaps + std::string(path), body), 422) << body << path << message();
  EXPECT_EQ(value_of("there"), "1");
}

TEST_F(ApiRequests, a_map_of_more_members_than_anybody_writes_is_an_error_before_it_is_compared) {
  const auto body = [](int members) {
    std::string text = R"({"metadata":{"name":"wide"},"data":{"a":"1")";
    for (int i = 1; i < members; ++i) text += ",\"k" + std::to_string(i) + "\":\"\"";
    return text + "}}";
  };
  EXPECT_EQ(ask("POST", kMaps, body(10'000)), 201) << message();
  EXPECT_EQ(patch(std::string(kMaps) + "/there", body(10'001)), 422);
  EXPECT_EQ(message(), "a map of more than 10,000 fields");
  EXPECT_EQ(value_of("there"), "1");
}

TEST_F(ApiRequests, a_path_or_a_query_that_is_not_utf_8_is_a_bad_request) {
  for (const char* path :
       {"/%ff", "?labelSelector=a%3D%ff", "?fieldSelector=metadata.name%3D%ff", "/%c3", "/%ed%a0%80"})
    EXPECT_EQ(ask("GET", kMaps + std::string(path)), 400) << path;
  EXPECT_EQ(ask("GET", std::string(kMaps) + "/%c3%a9"), 404);
  EXPECT_NE(message().find("\xc3\xa9"), std::string::npos) << message();
}

TEST_F(ApiRequests, an_error_text_that_is_not_utf_8_is_stored_and_shown_with_replacements) {
  RemoteStore remote(loop_, at_);
  api::Object object = *(*run(loop_, remote.get({api::find_kind("v1", "ConfigMap"), "default", "there"})));
  object.body["status"] = {{"message", "cut inside of a character: \xc3"}};
  const auto done = run(loop_, remote.update_status(object));
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(api::json_string((*done)->status(), "message"), "cut inside of a character: \xef\xbf\xbd");
  ASSERT_TRUE(run(loop_, store_->update_status([&] {
    object.body["metadata"].erase("resourceVersion");
    return object;
  }())));
  EXPECT_EQ(ask("GET", std::string(kMaps) + "/there"), 200);
  server_.reset();
  store_.reset();
  EXPECT_TRUE(EmbeddedStore::open(loop_, directory_.path + "/store"));
}

TEST_F(ApiRequests, a_patch_with_a_version_that_is_not_the_stored_one_is_a_conflict_at_once) {
  const std::string there = std::string(kMaps) + "/there";
  EXPECT_EQ(patch(there, R"({"metadata":{"resourceVersion":"1"},"data":{"key":"2"}})"), 409);
  EXPECT_EQ(patch(there, R"({"metadata":{"resourceVersion":1},"data":{"key":"2"}})"), 409);
  EXPECT_EQ(value_of("there"), "1");
  EXPECT_EQ(patch(there, R"({"data":{"key":"2"}})"), 200);
  EXPECT_EQ(value_of("there"), "2");
}

TEST_F(ApiRequests, a_patch_changes_the_object_of_its_path_and_no_other) {
  ASSERT_EQ(ask("POST", kMaps, R"({"metadata":{"name":"other"},"data":{"key":"1"}})"), 201);
  const std::string there = std::string(kMaps) + "/there";
  for (const char* body :
       {R"({"metadata":{"name":"other"},"data":{"key":"2"}})", R"({"metadata":{"namespace":"istio-system"}})",
        R"({"metadata":null})", R"({"metadata":"x"})", R"({"kind":"Secret"})", R"({"apiVersion":null})"})
    EXPECT_EQ(patch(there, body), 422) << body << message();
  EXPECT_EQ(value_of("other"), "1");
  EXPECT_EQ(value_of("there"), "1");
}

TEST_F(ApiRequests, a_client_in_a_dry_run_reads_as_ever_and_writes_nothing) {
  RemoteStore remote(loop_, at_);
  remote.set_dry_run();
  const api::KindInfo* kind = api::find_kind("v1", "ConfigMap");
  api::Object object = *(*run(loop_, remote.get({kind, "default", "there"})));
  object.body["data"]["key"] = "9";
  const auto changed = run(loop_, remote.update(object));
  ASSERT_TRUE(changed) << changed.error().text;
  EXPECT_EQ(api::json_string((*changed)->body["data"], "key"), "9");
  EXPECT_TRUE(run(loop_, remote.remove({kind, "default", "there"}, 0, {})));
  object.body["metadata"] = {{"name", "new"}, {"namespace", "default"}};
  EXPECT_TRUE(run(loop_, remote.create(object)));
  object.body["metadata"]["namespace"] = "nowhere";
  EXPECT_FALSE(run(loop_, remote.create(object)));
  EXPECT_EQ(value_of("there"), "1");
  EXPECT_EQ(value_of("new"), "absent");
}

TEST_F(ApiRequests, a_dry_run_has_the_response_of_the_real_one_and_changes_nothing) {
  const std::string there = std::string(kMaps) + "/there";
  ASSERT_EQ(ask("POST", "/api/v1/namespaces", R"({"metadata":{"name":"team"}})"), 201);
  const std::uint64_t version = store_->resource_version();
  EXPECT_EQ(ask("POST", std::string(kMaps) + "?dryRun=All", R"({"metadata":{"name":"new"}})"), 201);
  EXPECT_FALSE(api::json_string(response_["metadata"], "uid").empty());
  EXPECT_EQ(ask("POST", std::string(kMaps) + "?dryRun=All", R"({"metadata":{"name":"there"}})"), 409);
  EXPECT_EQ(ask("POST", std::string(kMaps) + "?dryRun=All", R"({"metadata":{"name":"new"},"dat":{}})"), 422);
  EXPECT_EQ(ask("PUT", there + "?dryRun=All", R"({"data":{"key":"9"}})"), 200);
  EXPECT_EQ(api::json_string(response_["data"], "key"), "9");
  EXPECT_EQ(patch(there + "?dryRun=All", R"({"data":{"key":"9"}})"), 200);
  EXPECT_EQ(ask("DELETE", there + "?dryRun=All"), 200);
  EXPECT_EQ(ask("DELETE", there, R"({"dryRun":["All"]})"), 200);
  EXPECT_EQ(ask("DELETE", "/api/v1/namespaces/team?dryRun=All"), 200);
  EXPECT_EQ(ask("DELETE", there + "?dryRun=some"), 422);
  EXPECT_EQ(ask("DELETE", there, R"({"dryRun":[7]})"), 422);
  EXPECT_EQ(value_of("there"), "1");
  EXPECT_EQ(value_of("new"), "absent");
  EXPECT_EQ(store_->resource_version(), version);
}

constexpr const char* kPods = "/api/v1/namespaces/default/pods";
constexpr const char* kPod =
    R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"main","image":"a:1"}]}})";

TEST_F(ApiRequests, a_change_of_a_pods_spec_is_rejected_with_the_field_because_nothing_would_follow_it) {
  ASSERT_EQ(ask("POST", kPods, kPod), 201) << message();
  const std::string pod = std::string(kPods) + "/p";
  const std::vector<std::pair<std::string, std::string>> changes = {
      {R"({"spec":{"containers":[{"name":"main","image":"a:2"}]}})", "spec.containers[0].image: "},
      {R"({"spec":{"containers":[{"name":"main","image":"a:1","args":["x"]}]}})",
       "spec.containers[0].args: "},
      {R"({"spec":{"containers":[{"name":"main","image":"a:1"},{"name":"b","image":"b:1"}]}})",
       "spec.containers: "},
      {R"({"spec":{"restartPolicy":"Never"}})", "spec.restartPolicy: "},
      {R"({"spec":{"terminationGracePeriodSeconds":3}})", "spec.terminationGracePeriodSeconds: "}};
  for (const auto& [change, field] : changes)
    for (const char* query : {"", "?dryRun=All"}) {
      EXPECT_EQ(patch(pod + query, change), 422) << change;
      EXPECT_EQ(api::json_string(response_, "reason"), "Invalid");
      EXPECT_TRUE(message().starts_with(field + "pod updates may not change the spec")) << message();
      EXPECT_NE(message().find("delete the pod and create it again"), std::string::npos) << message();
    }
  EXPECT_EQ(ask("PUT", pod, R"({"spec":{"containers":[{"name":"main","image":"a:2"}]}})"), 422);
  EXPECT_EQ(ask("GET", pod), 200);
  EXPECT_EQ(response_["spec"]["containers"][0]["image"], "a:1");
}

TEST_F(ApiRequests, a_pod_that_is_written_again_as_it_is_or_with_other_labels_is_not_a_change_of_its_spec) {
  ASSERT_EQ(ask("POST", kPods, kPod), 201) << message();
  const std::string pod = std::string(kPods) + "/p";
  EXPECT_EQ(ask("PUT", pod, kPod), 200) << message();
  EXPECT_EQ(patch(pod, R"({"metadata":{"labels":{"a":"b"}}})"), 200) << message();
  EXPECT_EQ(response_["metadata"]["labels"]["a"], "b");
  EXPECT_EQ(ask("PUT", pod + "/status", R"({"status":{"phase":"Running"}})"), 200) << message();
}

TEST_F(ApiRequests, a_selector_of_a_deployment_stays_as_it_was_and_its_template_does_not) {
  const auto deployment = [](const std::string& label, const std::string& image) {
    return R"({"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"app":")" + label +
           R"("}},"template":{"metadata":{"labels":{"app":")" + label +
           R"("}},"spec":{"containers":[{"name":"main","image":")" + image + R"("}]}}}})";
  };
  const std::string all = "/apis/apps/v1/namespaces/default/deployments", one = all + "/d";
  ASSERT_EQ(ask("POST", all, deployment("a", "a:1")), 201) << message();
  EXPECT_EQ(ask("PUT", one, deployment("b", "a:1")), 422);
  EXPECT_TRUE(message().starts_with("spec.selector.matchLabels.app: field is immutable")) << message();
  EXPECT_EQ(ask("PUT", one, deployment("a", "a:2")), 200) << message();
}

TEST_F(ApiRequests, a_config_map_that_says_it_is_immutable_keeps_what_it_holds) {
  const auto map = [](const std::string& rest) {
    return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kept"},)" + rest + "}";
  };
  const std::string one = std::string(kMaps) + "/kept";
  ASSERT_EQ(ask("POST", kMaps, map(R"("data":{"a":"1"},"immutable":true)")), 201) << message();
  EXPECT_EQ(ask("PUT", one, map(R"("data":{"a":"2"},"immutable":true)")), 422);
  EXPECT_TRUE(message().starts_with("data.a: the configmap is immutable")) << message();
  EXPECT_EQ(ask("PUT", one, map(R"("data":{"a":"1"})")), 422);
  EXPECT_TRUE(message().starts_with("immutable: the configmap is immutable")) << message();
  EXPECT_EQ(ask("PATCH", one, R"({"metadata":{"labels":{"a":"b"}}})", "application/merge-patch+json"), 200)
      << message();
  EXPECT_EQ(ask("DELETE", one), 200);
}

TEST_F(ApiRequests, an_unknown_part_of_an_object_is_not_found_and_touches_nothing) {
  for (const char* method : {"GET", "PUT", "PATCH", "DELETE", "POST"})
    for (const char* part : {"/there/zzz", "/there/log", "/there/scale"})
      EXPECT_EQ(ask(method, kMaps + std::string(part), "{}", "application/merge-patch+json"), 404)
          << method << part;
  EXPECT_EQ(ask("DELETE", std::string(kMaps) + "/there/status"), 405);
  EXPECT_EQ(value_of("there"), "1");
}

TEST_F(ApiRequests, a_grace_period_or_a_version_that_is_not_a_number_is_an_error) {
  const std::string there = std::string(kMaps) + "/there";
  for (const char* query : {"?gracePeriodSeconds=-1", "?gracePeriodSeconds=x", "?gracePeriodSeconds=1e3"})
    EXPECT_EQ(ask("DELETE", there + query), 422) << query;
  EXPECT_EQ(ask("DELETE", there, R"({"gracePeriodSeconds":"x"})"), 422);
  EXPECT_EQ(ask("GET", std::string(kMaps) + "?watch=1&resourceVersion=x"), 422);
  EXPECT_EQ(value_of("there"), "1");
}

TEST_F(ApiRequests, the_namespaces_that_everything_needs_may_not_be_deleted) {
  for (const char* name : {"default", "istio-system"}) {
    static_cast<void>(
        ask("POST", "/api/v1/namespaces",
            R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":")" + std::string(name) + R"("}})"));
    EXPECT_EQ(ask("DELETE", "/api/v1/namespaces/" + std::string(name)), 403) << message();
  }
  EXPECT_EQ(value_of("there"), "1");
}

TEST_F(ApiRequests, what_has_two_owners_goes_with_the_last_of_them) {
  const auto uid_of = [&](const char* name) {
    EXPECT_EQ(ask("POST", kMaps, R"({"metadata":{"name":")" + std::string(name) + R"("}})"), 201);
    return api::json_string(response_["metadata"], "uid");
  };
  const std::string a = uid_of("a"), b = uid_of("b");
  const auto owner = [](const std::string& name, const std::string& uid) {
    return R"({"apiVersion":"v1","kind":"ConfigMap","name":")" + name + R"(","uid":")" + uid + R"("})";
  };
  ASSERT_EQ(ask("POST", kMaps,
                R"({"metadata":{"name":"both","ownerReferences":[)" + owner("a", a) + "," + owner("b", b) +
                    R"(]},"data":{"key":"1"}})"),
            201)
      << message();
  EXPECT_EQ(ask("DELETE", std::string(kMaps) + "/a"), 200);
  EXPECT_EQ(value_of("both"), "1");
  EXPECT_EQ(ask("DELETE", std::string(kMaps) + "/b"), 200);
  EXPECT_EQ(value_of("both"), "absent");
}

TEST_F(ApiRequests, what_is_made_for_an_owner_that_went_is_rejected) {
  const auto owned = [](const std::string& uid) {
    return R"({"metadata":{"name":"late","ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"there",)"
           R"("uid":")" +
           uid + R"("}]}})";
  };
  ASSERT_EQ(ask("GET", std::string(kMaps) + "/there"), 200);
  const std::string uid = api::json_string(response_["metadata"], "uid");
  EXPECT_EQ(ask("POST", std::string(kMaps) + "?dryRun=All", owned(uid)), 201) << message();
  ASSERT_EQ(ask("DELETE", std::string(kMaps) + "/there"), 200);
  EXPECT_EQ(ask("POST", kMaps, owned(uid)), 404) << message();
}

TEST_F(ApiRequests, a_deletion_happens_only_to_the_object_that_it_means) {
  const std::string there = std::string(kMaps) + "/there";
  EXPECT_EQ(ask("DELETE", there, R"({"preconditions":{"uid":"of another"}})"), 409);
  EXPECT_EQ(ask("DELETE", there, R"({"preconditions":{"resourceVersion":"1000"}})"), 409);
  EXPECT_EQ(value_of("there"), "1");
  ASSERT_EQ(ask("GET", there), 200);
  const std::string uid = api::json_string(response_["metadata"], "uid");
  EXPECT_EQ(ask("DELETE", there, R"({"preconditions":{"uid":")" + uid + R"("}})"), 200) << message();
}

TEST_F(ApiRequests, a_deletion_with_preconditions_that_cannot_be_read_is_rejected) {
  const std::string there = std::string(kMaps) + "/there";
  for (const char* unreadable : {R"("uid")", R"({"uid":5})", R"({"resourceVersion":1})"})
    EXPECT_EQ(ask("DELETE", there, std::string(R"({"preconditions":)") + unreadable + "}"), 422)
        << unreadable;
  EXPECT_EQ(value_of("there"), "1");
  EXPECT_EQ(ask("DELETE", there, R"({"preconditions":null})"), 200) << message();
}

TEST_F(ApiRequests, a_deletion_does_not_happen_to_one_that_takes_its_place_in_the_same_turn) {
  const api::Key key{api::find_kind("v1", "ConfigMap"), "default", "there"};
  const auto old = run(loop_, store_->get(key));
  ASSERT_TRUE(old);
  before_ = [&] {
    api::Object next;
    next.kind = key.kind;
    next.body = {{"apiVersion", "v1"},
                 {"kind", "ConfigMap"},
                 {"metadata", {{"name", "there"}, {"namespace", "default"}}},
                 {"data", {{"key", "2"}}}};
    writes_.spawn(make(store_->remove(key, 0, {})));
    writes_.spawn(make(store_->create(std::move(next))));
  };
  const std::string uid((*old)->uid());
  EXPECT_EQ(ask("DELETE", std::string(kMaps) + "/there", R"({"preconditions":{"uid":")" + uid + R"("}})"),
            409);
  EXPECT_EQ(value_of("there"), "2");
}

TEST_F(ApiRequests, an_object_that_is_written_again_from_one_that_was_ending_is_not) {
  const std::string pods = "/api/v1/namespaces/default/pods";
  ASSERT_EQ(ask("POST", pods,
                R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","deletionTimestamp":)"
                R"("2026-01-01T00:00:00Z"},"spec":{"containers":[{"name":"m","image":"i"}]},)"
                R"("status":{"phase":"Succeeded"}})"),
            201)
      << message();
  EXPECT_FALSE(response_["metadata"].contains("deletionTimestamp"));
  EXPECT_EQ(response_["status"]["phase"], "Pending");
}

TEST_F(ApiRequests, several_fields_select_together) {
  ASSERT_EQ(ask("POST", kMaps, R"({"metadata":{"name":"other"}})"), 201);
  ASSERT_EQ(ask("GET", std::string(kMaps) + "?fieldSelector=metadata.name=other,metadata.namespace=default"),
            200);
  EXPECT_EQ(response_["items"].size(), 1u);
  EXPECT_EQ(ask("GET", std::string(kMaps) + "?fieldSelector=metadata.name=other,spec.nodeName=x"), 422);
  EXPECT_EQ(ask("GET", std::string(kMaps) + "?fieldSelector=metadata.namespace=elsewhere"), 422);
}

TEST_F(ApiRequests, a_pod_that_is_ending_can_be_given_less_time_and_no_more) {
  const std::string pods = "/api/v1/namespaces/default/pods", one = pods + "/p";
  ASSERT_EQ(ask("POST", pods,
                R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":)"
                R"({"terminationGracePeriodSeconds":60,"containers":[{"name":"m","image":"i"}]}})"),
            201)
      << message();
  const auto grace_after = [&](const std::string& query) {
    EXPECT_EQ(ask("DELETE", one + query), 200) << message();
    EXPECT_EQ(ask("GET", one), 200);
    return response_["metadata"]["deletionGracePeriodSeconds"];
  };
  EXPECT_EQ(grace_after(""), 60);
  EXPECT_EQ(grace_after("?gracePeriodSeconds=20"), 20);
  EXPECT_EQ(grace_after("?gracePeriodSeconds=40"), 20);
  EXPECT_EQ(grace_after(""), 20);
  EXPECT_EQ(ask("DELETE", one + "?gracePeriodSeconds=0"), 200);
  EXPECT_EQ(ask("GET", one), 404);
}

TEST_F(ApiRequests, a_watch_whose_client_disconnected_gives_its_place_back) {
  for (int round = 0; round < 20; ++round) {
    std::unique_ptr<http::Call> call;
    const auto open = [](net::Loop& loop, net::Address at,
                         std::unique_ptr<http::Call>& into) -> net::Task<bool> {
      http::Request request;
      request.path = std::string(kMaps) + "?watch=1";
      http::FetchOptions options;
      options.deadline = SteadyClock::now() + 20s;
      auto made = co_await http::Call::open(loop, at, std::move(request), options);
      if (made) into = std::move(*made);
      co_return made.has_value();
    };
    // There are four places; a watch that keeps its place leaves none for the fifth.
    ASSERT_TRUE(run(loop_, open(loop_, at_, call))) << round;
  }
  EXPECT_EQ(ask("GET", kMaps), 200);
}

}  // namespace
}  // namespace weft::store

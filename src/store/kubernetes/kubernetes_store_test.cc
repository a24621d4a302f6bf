#include "store/kubernetes/kubernetes_store.h"

#include <gtest/gtest.h>

#include <fstream>

#include "store/informer.h"
#include "store/kubernetes/cluster_version.h"
#include "store/testing/api_double.h"
#include "store/testing/run.h"

namespace weft::store {
namespace {

using namespace testing;
using End = Step::End;

const api::KindInfo* config_maps() { return api::find_kind("v1", "ConfigMap"); }

/// A store whose server is the double, with short timeouts.
class KubernetesStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { open(double_.access()); }
  void open(ClusterAccess access) {
    auto client = ApiClient::make(loop_, std::move(access), {double_.address()},
                                  {.connect = 2s, .answer = 3s, .max_backoff = 20ms});
    ASSERT_TRUE(client) << client.error().text;
    store_ = std::make_unique<KubernetesStore>(loop_, std::move(*client), periods_);
  }
  static Query all() {
    Query query;
    query.kind = config_maps();
    query.ns = "default";
    return query;
  }
  static api::Key key(std::string name) { return {config_maps(), "default", std::move(name)}; }
  static Step page(int version, std::vector<std::string> items, std::string next = "") {
    return {.expected = "GET /api/v1/namespaces/default/configmaps?limit=500",
            .pieces = {list_json(version, items, next)}};
  }
  static Step watch_from(int version, std::vector<std::string> pieces, End end = End::kOrderly) {
    return {
        .expected = "&resourceVersion=" + std::to_string(version), .pieces = std::move(pieces), .end = end};
  }
  /// An informer follows the script to its end; the copy is then compared, as "a1 b2".
  std::string follow(const std::function<bool(const Informer&)>& until) {
    events_.clear();
    Informer informer(loop_, *store_, all(), [this](const Event& event) {
      events_ += "+~-"[static_cast<int>(event.type)] + std::string(event.object->name()) + " ";
    });
    informer.start();
    EXPECT_TRUE(run_until(loop_, [&] { return double_.done() && until(informer); })) << double_.surprises();
    EXPECT_EQ(double_.surprises(), "");
    std::string copy;
    for (const auto& [at, object] : informer.items())
      copy += at.name + std::to_string(object->resource_version()) + " ";
    return copy;
  }
  static auto at_version(std::uint64_t version) {
    return [version](const Informer& informer) { return informer.resource_version() == version; };
  }

  net::Loop loop_;
  ApiDouble double_{loop_};
  WatchPatience periods_;
  std::unique_ptr<KubernetesStore> store_;
  std::string events_;
};

TEST_F(KubernetesStoreTest, lists_in_pages_and_in_order) {
  double_.add(page(7, {config_map_json("b", 3), config_map_json("c", 4)}, "more/1"));
  double_.add({.expected = "&continue=more/1", .pieces = {list_json(7, {config_map_json("a", 2)})}});
  const auto list = run(loop_, store_->list(all()));
  ASSERT_TRUE(list) << list.error().text;
  EXPECT_EQ(list->resource_version, 7u);
  ASSERT_EQ(list->items.size(), 3u);
  EXPECT_EQ(list->items[0]->name(), "a");
  EXPECT_EQ(double_.seen()[0].authorization, "Bearer first");
  EXPECT_EQ(double_.surprises(), "");
}

TEST_F(KubernetesStoreTest, a_list_whose_next_page_has_expired_begins_again) {
  double_.add(page(7, {config_map_json("gone", 3)}, "old"));
  double_.add(
      {.expected = "continue=old", .status = 410, .pieces = {status_json(410, "Expired", "too old")}});
  double_.add(page(9, {config_map_json("a", 8)}));
  const auto list = run(loop_, store_->list(all()));
  ASSERT_TRUE(list) << list.error().text;
  EXPECT_EQ(list->resource_version, 9u);
  ASSERT_EQ(list->items.size(), 1u);
  EXPECT_EQ(list->items[0]->name(), "a");
}

// M01
TEST_F(KubernetesStoreTest, a_watch_that_is_too_old_at_its_start_or_in_it_leads_to_a_new_list) {
  double_.add(page(5, {config_map_json("a", 1), config_map_json("b", 2)}));
  double_.add(
      {.expected = "resourceVersion=5", .status = 410, .pieces = {status_json(410, "Expired", "old")}});
  double_.add(page(9, {config_map_json("a", 1), config_map_json("b", 8)}));
  double_.add(watch_from(9, {event_json("ERROR", status_json(410, "Expired", "too old resource version"))}));
  double_.add(page(12, {config_map_json("a", 1)}));
  double_.add(watch_from(12, {}, End::kSilent));
  EXPECT_EQ(follow(at_version(12)), "a1 ");
  EXPECT_EQ(events_, "+a +b ~b -b ");
}

// M02
TEST_F(KubernetesStoreTest, half_an_event_is_dropped_and_the_watch_goes_on_from_the_last_whole_one) {
  const std::string whole = added("a", 6);
  double_.add(page(5, {}));
  double_.add(watch_from(5, {whole + added("b", 7).substr(0, 60)}, End::kCut));
  double_.add(watch_from(6, {added("b", 7).substr(0, 60)}, End::kOrderly));
  double_.add(watch_from(6, {added("b", 7)}, End::kSilent));
  EXPECT_EQ(follow(at_version(7)), "a6 b7 ");
  EXPECT_EQ(events_, "+a +b ");
}

TEST_F(KubernetesStoreTest, an_event_may_come_byte_by_byte) {
  std::vector<std::string> bytes;
  for (const char c : added("a", 6) + "\n\r\n" + modified("a", 7)) bytes.emplace_back(1, c);
  double_.add(page(5, {}));
  double_.add(watch_from(5, std::move(bytes), End::kSilent));
  EXPECT_EQ(follow(at_version(7)), "a7 ");
}

TEST_F(KubernetesStoreTest, garbage_in_a_watch_ends_it_and_the_next_goes_on) {
  const std::vector<std::string> garbage = {
      "not json\n",
      "{\"type\":\"ADDED\"}\n",
      "{\"type\":1,\"object\":{}}\n",
      "{\"type\":\"ADDED\",\"object\":[]}\n",
      "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":5}}}\n",
      "{\"type\":\"ADDED\",\"object\":{\"metadata\":\"x\"}}\n",
      "{\"type\":\"ERROR\",\"object\":{\"code\":\"x\",\"message\":7}}\n",
      "{\"type\":\"BOOKMARK\",\"object\":{}}\n",
      "{\"type\":\"NEW\",\"object\":{}}\n",
      "[]\n",
      "\xff\xfe\n",
      std::string(2000, '[') + "\n",
  };
  for (const std::string& each : garbage) {
    double_.add(watch_from(5, {each}));
    auto watch = run(loop_, store_->watch(all(), 5));
    ASSERT_TRUE(watch) << watch.error().text;
    EXPECT_FALSE(run(loop_, (*watch)->next())) << each;
  }
  double_.add(page(5, {}));
  double_.add(watch_from(5, {garbage[0]}));
  double_.add(watch_from(5, {added("a", 6)}, End::kSilent));
  EXPECT_EQ(follow(at_version(6)), "a6 ");
}

TEST_F(KubernetesStoreTest, garbage_in_responses_is_an_error) {
  for (const std::string& each :
       {std::string("[]"), std::string("{"), std::string(""), std::string("{\"metadata\":{}}"),
        std::string("{\"metadata\":7,\"items\":3}"), std::string("{\"items\":[1]}")}) {
    double_.add({.pieces = {each}});
    EXPECT_FALSE(run(loop_, store_->list(all()))) << each;
    double_.add({.pieces = {each}});
    EXPECT_FALSE(run(loop_, store_->get(key("a")))) << each;
    double_.add({.status = 500, .pieces = {each}});
    EXPECT_FALSE(run(loop_, store_->get(key("a")))) << each;
  }
  EXPECT_TRUE(double_.done());
}

// M03
TEST_F(KubernetesStoreTest, bookmarks_move_the_version_that_a_watch_goes_on_from) {
  double_.add(page(5, {config_map_json("a", 1)}));
  double_.add(watch_from(5, {bookmark_json(20), bookmark_json(30)}));
  double_.add(watch_from(30, {}, End::kSilent));
  EXPECT_EQ(follow(at_version(30)), "a1 ");
  EXPECT_EQ(events_, "+a ");
  EXPECT_NE(double_.seen()[1].line.find("allowWatchBookmarks=true&timeoutSeconds="), std::string::npos);
}

TEST_F(KubernetesStoreTest, a_version_that_is_not_a_number_is_rejected_by_name) {
  std::string body = list_json(5, {});
  body.replace(body.find("\"5\""), 3, "\"v5\"");
  double_.add({.pieces = {body}});
  const auto list = run(loop_, store_->list(all()));
  ASSERT_FALSE(list);
  EXPECT_NE(list.error().text.find("\"v5\" is not a decimal number"), std::string::npos) << list.error().text;
}

// M04
TEST_F(KubernetesStoreTest, too_many_requests_are_waited_for_as_asked) {
  double_.add({.status = 429, .headers = {{"retry-after", "1"}}});
  double_.add({.status = 503, .headers = {{"retry-after", "7"}}});
  double_.add({.expected = "/a", .pieces = {config_map_json("a", 1)}});
  const auto found = run(loop_, store_->get(key("a")));
  ASSERT_TRUE(found) << found.error().text;
  ASSERT_EQ(double_.seen().size(), 3u);
  // One second is asked for; the limit of this test is 20 ms.
  EXPECT_GE(double_.seen()[1].when - double_.seen()[0].when, 20ms);
}

TEST_F(KubernetesStoreTest, a_server_that_is_always_busy_is_an_error_after_three_waits) {
  for (int i = 0; i < 4; ++i)
    double_.add({.status = 429, .pieces = {status_json(429, "TooManyRequests", "busy")}});
  const auto found = run(loop_, store_->get(key("a")));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::kUnavailable);
  EXPECT_EQ(found.error().text, "busy");
  EXPECT_TRUE(double_.done());
}

TEST_F(KubernetesStoreTest, errors_of_the_server_are_waited_out) {
  for (const int status : {500, 502, 503, 504}) double_.add({.status = status});
  double_.add(page(5, {config_map_json("a", 1)}));
  for (const int status : {500, 503, 504}) double_.add({.expected = "resourceVersion=5", .status = status});
  double_.add(watch_from(5, {added("b", 6)}, End::kSilent));
  EXPECT_EQ(follow(at_version(6)), "a1 b6 ");
}

// M05
TEST_F(KubernetesStoreTest, a_rejected_token_is_read_again_and_shown_once_more) {
  Directory directory;
  const std::string file = directory.path + "/token";
  std::ofstream(file) << "old\n";
  ClusterAccess access = double_.access();
  access.token_file = file;
  open(access);
  double_.add({.pieces = {config_map_json("a", 1)}});
  ASSERT_TRUE(run(loop_, store_->get(key("a"))));
  std::ofstream(file) << "new\n";
  double_.add({.status = 401});
  double_.add({.pieces = {config_map_json("a", 1)}});
  ASSERT_TRUE(run(loop_, store_->get(key("a"))));
  double_.add({.status = 401});
  double_.add({.status = 401, .pieces = {status_json(401, "Unauthorized", "Unauthorized")}});
  const auto rejected = run(loop_, store_->get(key("a")));
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().code, Code::kDenied);
  ASSERT_EQ(double_.seen().size(), 5u);
  EXPECT_EQ(double_.seen()[0].authorization, "Bearer old");
  EXPECT_EQ(double_.seen()[1].authorization, "Bearer old");
  EXPECT_EQ(double_.seen()[2].authorization, "Bearer new");
}

TEST_F(KubernetesStoreTest, a_fixed_token_that_is_rejected_is_not_sent_again) {
  double_.add({.status = 401});
  EXPECT_FALSE(run(loop_, store_->get(key("a"))));
  EXPECT_EQ(double_.seen().size(), 1u);
}

// M06
TEST_F(KubernetesStoreTest, a_status_without_a_version_is_written_to_the_object_as_it_is_now) {
  api::Object status{config_maps(), api::Json::parse(config_map_json("a", 1))};
  status.body["metadata"].erase("resourceVersion");
  status.body["status"] = {{"ready", true}};
  double_.add({.pieces = {config_map_json("a", 4, R"(,"data":{"k":"old"})")}});
  double_.add({.expected = "PUT /api/v1/namespaces/default/configmaps/a/status",
               .status = 409,
               .pieces = {status_json(409, "Conflict", "modified")}});
  double_.add({.pieces = {config_map_json("a", 5, R"(,"data":{"k":"new"})")}});
  double_.add({.expected = "PUT", .pieces = {config_map_json("a", 6)}});
  const auto written = run(loop_, store_->update_status(status));
  ASSERT_TRUE(written) << written.error().text;
  const api::Json sent = api::Json::parse(double_.seen()[3].body);
  EXPECT_EQ(sent["metadata"]["resourceVersion"], "5");
  EXPECT_EQ(sent["data"]["k"], "new");
  EXPECT_EQ(sent["status"]["ready"], true);
  EXPECT_EQ(double_.surprises(), "");
}

TEST_F(KubernetesStoreTest, an_update_of_an_old_version_is_a_conflict_and_writes_nothing) {
  api::Object old{config_maps(), api::Json::parse(config_map_json("a", 1))};
  for (const bool status : {false, true}) {
    double_.add({.pieces = {config_map_json("a", 2)}});
    const auto done = status ? run(loop_, store_->update_status(old)) : run(loop_, store_->update(old));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::kConflict);
  }
  EXPECT_EQ(double_.seen().size(), 2u);
}

TEST_F(KubernetesStoreTest, what_a_list_left_out_survives_an_update) {
  const std::string annotations = R"(,"extra":{"unknown":1}})";
  std::string whole = config_map_json("a", 3, annotations.substr(0, annotations.size() - 1));
  whole.insert(
      whole.find("\"namespace\""),
      R"("annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"},"managedFields":[{"manager":"kubectl"}],)");
  double_.add(page(5, {whole}));
  const auto list = run(loop_, store_->list(all()));
  ASSERT_TRUE(list) << list.error().text;
  api::Object copy = *list->items.at(0);
  EXPECT_FALSE(
      copy.body["metadata"]["annotations"].contains("kubectl.kubernetes.io/last-applied-configuration"));
  copy.body["data"]["k"] = "v";
  double_.add({.pieces = {whole}});
  double_.add({.expected = "PUT", .pieces = {whole}});
  ASSERT_TRUE(run(loop_, store_->update(copy)));
  const api::Json sent = api::Json::parse(double_.seen()[2].body);
  EXPECT_EQ(sent["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"], "{}");
  EXPECT_FALSE(sent["metadata"].contains("managedFields"));
  EXPECT_EQ(sent["extra"]["unknown"], 1);
  EXPECT_EQ(sent["data"]["k"], "v");
}

// M07
TEST_F(KubernetesStoreTest, a_server_that_was_away_is_followed_again) {
  double_.add(page(5, {config_map_json("a", 1)}));
  for (int i = 0; i < 6; ++i) double_.add({.expected = "resourceVersion=5", .end = End::kCut});
  double_.add(watch_from(5, {added("b", 6)}, End::kSilent));
  EXPECT_EQ(follow(at_version(6)), "a1 b6 ");
}

// M08
TEST_F(KubernetesStoreTest, an_event_that_comes_after_the_removal_of_its_object_brings_nothing_back) {
  double_.add(page(5, {config_map_json("gone", 4)}));
  double_.add(watch_from(5,
                         {deleted("gone", 9), modified("gone", 6), modified("gone", 9), deleted("never", 11),
                          added("never", 10), added("z", 12)},
                         End::kSilent));
  EXPECT_EQ(follow(at_version(12)), "z12 ");
  EXPECT_EQ(events_, "+gone -gone +z ");
}

TEST_F(KubernetesStoreTest, events_that_come_twice_or_late_change_nothing) {
  double_.add(page(5, {config_map_json("a", 1)}));
  double_.add(
      watch_from(5,
                 {modified("a", 7) + modified("a", 7) + modified("a", 6) + added("b", 8) + added("b", 8) +
                  deleted("a", 9) + deleted("a", 9) + added("a", 10) + deleted("a", 9) + bookmark_json(11)},
                 End::kSilent));
  EXPECT_EQ(follow(at_version(11)), "a10 b8 ");
  EXPECT_EQ(events_, "+a ~a +b -a +a ");
}

TEST_F(KubernetesStoreTest, a_server_that_has_gone_back_in_time_is_listed_again) {
  double_.add(page(50, {config_map_json("a", 40), config_map_json("b", 41)}));
  double_.add(
      {.expected = "resourceVersion=50",
       .status = 504,
       .pieces = {status_json(504, "Timeout", "Timeout: Too large resource version: 50, current: 7")}});
  double_.add(page(7, {config_map_json("a", 3)}));
  double_.add(watch_from(7, {modified("a", 8)}, End::kSilent));
  EXPECT_EQ(follow(at_version(8)), "a8 ");
  EXPECT_EQ(events_, "+a +b ~a -b ~a ");
}

TEST_F(KubernetesStoreTest, a_watch_that_is_silent_for_too_long_is_given_up) {
  periods_ = {.shortest = 50ms, .longest = 60ms, .grace = 30ms};
  open(double_.access());
  double_.add(page(5, {}));
  double_.add(watch_from(5, {}, End::kSilent));
  double_.add(watch_from(5, {added("a", 6)}, End::kSilent));
  EXPECT_EQ(follow(at_version(6)), "a6 ");
}

TEST_F(KubernetesStoreTest, a_server_that_never_responds_is_a_timeout) {
  auto client = ApiClient::make(loop_, double_.access(), {double_.address()},
                                {.connect = 2s, .answer = 50ms, .max_backoff = 20ms});
  KubernetesStore hasty(loop_, std::move(*client));
  double_.add({.before = 1h});
  const auto found = run(loop_, hasty.get(key("a")));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::kTimeout) << found.error().text;
}

TEST_F(KubernetesStoreTest, an_event_of_a_megabyte_is_taken_and_one_without_an_end_leads_to_a_new_list) {
  const std::string megabyte(1024 * 1024, 'x');
  double_.add(page(5, {}));
  double_.add(
      watch_from(5,
                 {event_json("ADDED", config_map_json("a", 6, R"(,"data":{"k":")" + megabyte + "\"}")),
                  std::string(17 * 1024 * 1024, 'y')},
                 End::kSilent));
  double_.add(page(9, {config_map_json("b", 9)}));
  double_.add(watch_from(9, {}, End::kSilent));
  EXPECT_EQ(follow(at_version(9)), "b9 ");
  EXPECT_EQ(events_, "+a +b -a ");
}

// M10
TEST_F(KubernetesStoreTest, a_type_that_is_not_there_yet_is_told_from_an_object_that_is_not_there) {
  double_.add({.status = 404, .pieces = {"404 page not found\n"}});
  const auto absent = run(loop_, store_->list(all()));
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Code::kUnsupported);
  EXPECT_EQ(absent.error().text, "configmaps (v1): the server could not find the requested resource");
  double_.add(
      {.status = 404, .pieces = {status_json(404, "NotFound", "configmaps x not found", R"({"name":"x"})")}});
  const auto missing = run(loop_, store_->get(key("x")));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
}

TEST_F(KubernetesStoreTest, an_informer_waits_for_a_type_and_forgets_what_went_with_it) {
  double_.add({.status = 404, .pieces = {"404 page not found\n"}});
  double_.add(page(5, {config_map_json("a", 1)}));
  double_.add({.expected = "resourceVersion=5", .status = 404, .pieces = {"404 page not found\n"}});
  double_.add(page(9, {}));
  double_.add(watch_from(9, {}, End::kSilent));
  EXPECT_EQ(follow(at_version(9)), "");
  EXPECT_EQ(events_, "+a -a ");
}

TEST_F(KubernetesStoreTest, unknown_fields_of_the_cluster_are_kept) {
  double_.add({.pieces = {config_map_json("a", 1, R"(,"newField":{"x":[1,2]},"spec":7)")}});
  const auto found = run(loop_, store_->get(key("a")));
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ((*found)->body["newField"]["x"][1], 2);
}

TEST_F(KubernetesStoreTest, a_server_that_proves_to_be_another_is_not_talked_to) {
  ClusterAccess other_root = double_.access();
  other_root.roots_pem = Certificates::make().authority.certificate_pem();
  open(other_root);
  const auto untrusted = run(loop_, store_->get(key("a")));
  ASSERT_FALSE(untrusted);
  EXPECT_EQ(untrusted.error().code, Code::kDenied) << untrusted.error().text;
  ClusterAccess other_name = double_.access();
  other_name.server_name = "kubernetes.default.svc";
  open(other_name);
  const auto misnamed = run(loop_, store_->get(key("a")));
  ASSERT_FALSE(misnamed);
  EXPECT_NE(misnamed.error().text.find("not for kubernetes.default.svc"), std::string::npos)
      << misnamed.error().text;
  EXPECT_TRUE(double_.seen().empty());
}

TEST_F(KubernetesStoreTest, raw_requests_carry_their_content_type_and_token_reviews_their_audience) {
  double_.add({.expected = "PATCH /x?fieldManager=weft&force=true", .pieces = {"{\"kind\":\"Deployment\"}"}});
  ASSERT_TRUE(run(loop_, store_->apply("/x", {{"kind", "Deployment"}}, "weft", true)));
  EXPECT_EQ(double_.seen()[0].content_type, "application/apply-patch+yaml");
  double_.add({.expected = "PATCH /x", .pieces = {"{}"}});
  ASSERT_TRUE(run(loop_, store_->merge_patch("/x", {{"a", nullptr}})));
  EXPECT_EQ(double_.seen()[1].content_type, "application/merge-patch+json");
  double_.add({.expected = "POST /apis/authentication.k8s.io/v1/tokenreviews",
               .status = 201,
               .pieces = {R"({"status":{"authenticated":true,"user":{"username":"u"}}})"}});
  const auto review = run(loop_, store_->review_token("secret", "istio-ca"));
  ASSERT_TRUE(review) << review.error().text;
  EXPECT_EQ((*review)["user"]["username"], "u");
  EXPECT_EQ(api::Json::parse(double_.seen()[2].body)["spec"]["audiences"][0], "istio-ca");
  double_.add({.pieces = {R"({"major":"1","minor":"34+","gitVersion":"v1.34.1-x"})"}});
  const auto version = run(loop_, cluster_version(*store_));
  ASSERT_TRUE(version);
  EXPECT_EQ(version->minor, 34);
  EXPECT_EQ(double_.surprises(), "");
}

// M15
TEST_F(KubernetesStoreTest, an_informer_says_why_its_copy_may_be_out_of_date) {
  double_.add(page(5, {config_map_json("a", 1)}));
  double_.add({.expected = "resourceVersion=5",
               .status = 403,
               .pieces = {status_json(403, "Forbidden", "configmaps is forbidden")}});
  double_.add(watch_from(5, {added("b", 6)}, End::kSilent));
  std::string last_error;
  EXPECT_EQ(follow([&](const Informer& informer) {
              if (!informer.last_error().empty()) last_error = informer.last_error();
              return informer.resource_version() == 6 && informer.last_error().empty();
            }),
            "a1 b6 ");
}

}  // namespace
}  // namespace weft::store

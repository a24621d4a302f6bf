#include "control/remarks/foreign_objects.h"

#include <gtest/gtest.h>

#include "control/testing/fake_raw_api.h"

namespace weft::control {
namespace {

/// A cluster that another Istio's definitions were left in.
class ForeignObjectsTest : public ::testing::Test {
 protected:
  ForeignObjectsTest() {
    api.answer = [this](const store::RawRequest& request) -> Result<api::Json> {
      if (request.method == "PUT") {
        if (keeps) answers["/apis/security.istio.io/v1/authorizationpolicies"] = {{"items", {request.body}}};
        return request.body;
      }
      if (request.path.find(forbidden) != request.path.npos)
        return fail(Error::config(Code::kDenied, "forbidden"));
      auto found = answers.find(request.path.substr(0, request.path.find('?')));
      if (found == answers.end()) return fail(Error::config(Code::kNotFound, "not found"));
      return found->second;
    };
    answers["/apis"] = {{"groups", api::Json::array({group("apps"), group("security.istio.io")})}};
    answers["/apis/security.istio.io/v1"] = {
        {"resources", api::Json::array({{{"name", "authorizationpolicies"}}, {{"name", "others"}}})}};
    answers["/apis/security.istio.io/v1/authorizationpolicies"] = {{"items", api::Json::array({deny_all()})}};
  }
  static api::Json group(const char* name) {
    return {{"name", name}, {"versions", api::Json::array({{{"version", "v1"}}})}};
  }
  static api::Json deny_all() {
    return {{"metadata", {{"name", "deny-all"}, {"namespace", "shop"}, {"uid", "u1"}}},
            {"spec", api::Json::object()}};
  }
  std::vector<store::RawRequest> writes() const {
    std::vector<store::RawRequest> found;
    for (const auto& each : api.requests)
      if (each.method == "PUT") found.push_back(each);
    return found;
  }

  std::map<std::string, api::Json> answers;
  bool keeps = true;  ///< the status that is written
  std::string forbidden = "/nothing";
  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  testing::FakeRawApi api;
  Metrics metrics;
};

TEST_F(ForeignObjectsTest, a_policy_that_is_not_done_is_counted_and_told_in_its_status_once) {
  ForeignObjects foreign(*loop, api, metrics);
  foreign.start();
  loop->settle();
  EXPECT_EQ(metrics.value("weft_control_objects_without_effect", {{"kind", "AuthorizationPolicy"}}), 1u);
  ASSERT_EQ(writes().size(), 1u);
  EXPECT_EQ(writes()[0].path,
            "/apis/security.istio.io/v1/namespaces/shop/authorizationpolicies/deny-all/status");
  const api::Json condition = writes()[0].body["status"]["conditions"][0];
  EXPECT_EQ(condition["type"], "weft.dev/Effective");
  EXPECT_EQ(condition["status"], "False");
  EXPECT_NE(condition["message"].get<std::string>().find("not enforced"), std::string::npos);
  loop->advance(61s);
  EXPECT_EQ(writes().size(), 1u);
}

TEST_F(ForeignObjectsTest, another_istios_conditions_stay_beside_ours) {
  api::Json object = deny_all();
  object["status"]["conditions"] = {{{"type", "Reconciled"}, {"status", "True"}}};
  answers["/apis/security.istio.io/v1/authorizationpolicies"] = {{"items", api::Json::array({object})}};
  ForeignObjects foreign(*loop, api, metrics);
  foreign.start();
  loop->settle();
  ASSERT_EQ(writes().size(), 1u);
  ASSERT_EQ(writes()[0].body["status"]["conditions"].size(), 2u);
  EXPECT_EQ(writes()[0].body["status"]["conditions"][0]["type"], "Reconciled");
}

TEST_F(ForeignObjectsTest, a_replica_that_does_not_lead_writes_nothing_until_it_does) {
  bool leads = false;
  ForeignObjects foreign(*loop, api, metrics);
  foreign.follow([&] { return leads; });
  foreign.start();
  loop->settle();
  EXPECT_TRUE(writes().empty());
  leads = true;
  loop->advance(61s);
  EXPECT_EQ(writes().size(), 1u);
}

TEST_F(ForeignObjectsTest, a_status_that_somebody_overwrites_is_written_again_a_few_times) {
  keeps = false;
  ForeignObjects foreign(*loop, api, metrics);
  foreign.start();
  loop->settle();
  loop->advance(61s);
  EXPECT_EQ(writes().size(), 2u);
  loop->advance(600s);
  EXPECT_EQ(writes().size(), 5u);
}

TEST_F(ForeignObjectsTest, a_kind_that_cannot_be_read_hides_no_other_and_is_counted) {
  answers["/apis/security.istio.io/v1"] = {
      {"resources",
       api::Json::array({{{"name", "peerauthentications"}}, {{"name", "authorizationpolicies"}}})}};
  forbidden = "/peerauthentications";
  ForeignObjects foreign(*loop, api, metrics);
  foreign.start();
  loop->settle();
  EXPECT_EQ(metrics.value("weft_control_objects_without_effect", {{"kind", "AuthorizationPolicy"}}), 1u);
  EXPECT_EQ(metrics.value("weft_control_kinds_not_looked_at", {}), 1u);
  EXPECT_EQ(writes().size(), 1u);
}

TEST_F(ForeignObjectsTest, a_cluster_without_such_kinds_is_asked_one_question_a_minute) {
  answers["/apis"] = {{"groups", api::Json::array({group("apps")})}};
  ForeignObjects foreign(*loop, api, metrics);
  foreign.start();
  loop->settle();
  EXPECT_EQ(api.requests.size(), 1u);
  loop->advance(61s);
  EXPECT_EQ(api.requests.size(), 2u);
}

TEST_F(ForeignObjectsTest, what_is_gone_is_counted_no_more) {
  ForeignObjects foreign(*loop, api, metrics);
  foreign.start();
  loop->settle();
  answers["/apis/security.istio.io/v1/authorizationpolicies"] = {{"items", api::Json::array()}};
  loop->advance(61s);
  EXPECT_EQ(metrics.value("weft_control_objects_without_effect", {{"kind", "AuthorizationPolicy"}}), 0u);
}

}  // namespace
}  // namespace weft::control

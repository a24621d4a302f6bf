#include "control/ads/session.h"

#include <gtest/gtest.h>

#include "control/testing/scripted_proxy.h"

namespace weft::control {
namespace {

using testing::resource;
using testing::Response;
using testing::ScriptedProxy;
using testing::SessionBase;
using testing::set_of;
using testing::to_response;

class DeltaTest : public SessionBase, public ::testing::Test {
 public:
  DeltaTest() : SessionBase(AdsProtocol::kDelta) {}
  using Request = Session::DeltaRequest;
  void say(Type type, Request request) {
    request.set_type_url(std::string(type_url(type)));
    session.on_request(request);
  }
};

TEST_F(DeltaTest, a_response_has_what_the_proxy_does_not_hold_and_the_names_of_what_it_is_not_to_have) {
  begin(set_of("v1", {"v1", "v2"}));
  session.offer(set_of("v1", {"v1", "v2", "v3"}), 2);
  ASSERT_EQ(wire.size(), 1u);
  EXPECT_EQ(wire.front().resources_size(), 1) << "the new cluster";
  EXPECT_TRUE(wire.front().removed.empty());
  deliver();
  session.offer(set_of("v1", {"v1"}), 3);
  ASSERT_EQ(wire.size(), 1u);
  EXPECT_EQ(wire.front().resources_size(), 0);
  EXPECT_EQ(wire.front().removed, (std::vector<std::string>{"v2", "v3"}));
}

TEST_F(DeltaTest, what_the_proxy_had_when_the_stream_began_and_is_not_there_any_more_is_taken_away) {
  session.offer(set_of("v1", {"v1"}), 1);
  Request request;
  (*request.mutable_initial_resource_versions())["v1"] = "";
  (*request.mutable_initial_resource_versions())["of before"] = "";
  say(Type::kCluster, request);
  ASSERT_EQ(wire.size(), 1u);
  EXPECT_EQ(wire.front().removed, std::vector<std::string>{"of before"});
  EXPECT_EQ(wire.front().resources_size(), 1);
  session.offer(set_of("v1", {"v1", "v2"}), 2);
  wire.clear();
  proxy.complain(Type::kCluster, "whatever");
  for (const Response& response : wire) EXPECT_TRUE(response.removed.empty()) << "it was said once";
}

TEST_F(DeltaTest, what_was_rejected_and_is_not_wanted_any_more_is_taken_away_too) {
  begin(set_of("v1", {"v1"}));
  session.offer(set_of("v1", {"v1", "bad"}), 2);
  take_one("CDS 'bad': no");
  session.offer(set_of("v1", {"v1"}), 3);
  ASSERT_EQ(wire.size(), 1u);
  EXPECT_EQ(wire.front().removed, std::vector<std::string>{"bad"}) << "whatever became of it";
}

TEST_F(DeltaTest, a_rejected_resource_that_becomes_what_it_was_is_said_again) {
  begin(set_of("v1", {"v1", "v2"}));
  session.offer(set_of("v1", {"v1", "v2"}, "C"), 2);
  take_one("CDS 'v2': no");
  deliver();
  session.offer(set_of("v1", {"v1", "v2"}), 3);
  ASSERT_FALSE(wire.empty());
  EXPECT_EQ(wire.front().resources_size(), 2) << "also the one of which the proxy has this form still";
}

TEST_F(DeltaTest, names_come_and_go_and_an_acknowledgement_says_none) {
  session.offer(set_of("v1", {"v1", "v2"}), 1);
  const auto names_of = [](std::initializer_list<const char*> added,
                           std::initializer_list<const char*> removed) {
    Request request;
    for (const char* name : added) request.add_resource_names_subscribe(name);
    for (const char* name : removed) request.add_resource_names_unsubscribe(name);
    return request;
  };
  const auto next = [&] {
    EXPECT_EQ(wire.size(), 1u);
    const Response response = wire.empty() ? Response() : wire.front();
    wire.clear();
    Request acknowledgement;
    acknowledgement.set_response_nonce(response.nonce());
    say(Type::kEndpoint, acknowledgement);
    EXPECT_TRUE(wire.empty());
    return response.resources_size() == 1 ? response.resources(0).value() : "";
  };
  say(Type::kEndpoint, names_of({"v1"}, {}));
  EXPECT_EQ(next(), "ev1");
  say(Type::kEndpoint, names_of({"v2"}, {"v1"}));
  EXPECT_EQ(next(), "ev2");
  EXPECT_EQ(session.names(Type::kEndpoint), 1u);
  say(Type::kEndpoint, names_of({"v1"}, {}));
  EXPECT_EQ(next(), "ev1") << "it had been let go";
  say(Type::kEndpoint, names_of({"v1"}, {}));
  EXPECT_EQ(next(), "ev1") << "it is asked for again";
  say(Type::kEndpoint, names_of({"gone"}, {}));
  wire.clear();
  EXPECT_EQ(session.names(Type::kEndpoint), 3u);
}

TEST_F(DeltaTest, the_base_of_a_table_is_what_the_proxy_has_acknowledged) {
  std::vector<Push> pushes;
  Session other([&](const Push& push) { pushes.push_back(push), wire.push_back(to_response(push)); },
                AdsProtocol::kDelta);
  other.allow_table_changes();
  ScriptedProxy taker(other);
  const auto form_of_base = [&] {
    const Push& push = pushes.back();
    EXPECT_EQ(push.type, Type::kRoute);
    const ResourcePtr base = push.base ? push.base->find("table") : nullptr;
    return base ? base->message() : "none";
  };
  const auto take = [&](const std::string& rejection = {}) {
    while (!wire.empty()) {
      const Response response = wire.front();
      wire.pop_front();
      taker.take(response, rejection);
    }
  };
  other.offer(set_of("v1", {"v1", "v2", "v3"}), 1);
  taker.connect();
  take();
  EXPECT_EQ(form_of_base(), "none");
  other.offer(set_of("v2", {"v1", "v2", "v3"}), 2);
  EXPECT_EQ(form_of_base(), "to v1");
  take("RDS 'table': no");
  other.offer(set_of("v3", {"v1", "v2", "v3"}), 3);
  EXPECT_EQ(form_of_base(), "to v1") << "the other was rejected";
  take();
  other.offer(set_of("v1", {"v1", "v2", "v3"}), 4);
  EXPECT_EQ(form_of_base(), "to v3");
  wire.pop_front();
  Request again;
  again.set_type_url(std::string(type_url(Type::kRoute)));
  again.set_response_nonce(pushes.back().nonce);
  again.mutable_error_detail()->set_message("RDS 'table': has another base");
  again.add_resource_names_subscribe("table");
  other.on_request(again);
  ASSERT_EQ(wire.size(), 1u);
  EXPECT_EQ(form_of_base(), "none") << "it is to be sent whole";
  take();
  EXPECT_EQ(other.running(), 4u);
  EXPECT_FALSE(other.any_doubted());
}

}  // namespace
}  // namespace weft::control

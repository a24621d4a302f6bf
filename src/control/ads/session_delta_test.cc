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

TEST_F(DeltaTest, what_the_proxy_had_when_the_stream_began_goes_when_it_runs_what_takes_its_place) {
  session.offer(set_of("v2", {"v2"}), 1);
  Request request;
  (*request.mutable_initial_resource_versions())["v1"] = "";
  (*request.mutable_initial_resource_versions())["v2"] = "";
  say(Type::kCluster, request);
  std::vector<std::string> removed;
  while (!wire.empty()) {
    EXPECT_TRUE(removed.empty()) << "it was said once, and last";
    if (wire.front().type_url() == type_url(Type::kCluster)) removed = wire.front().removed;
    if (!removed.empty()) EXPECT_EQ(proxy.route, "v2") << "it may have been using that";
    take_one();
  }
  EXPECT_EQ(removed, std::vector<std::string>{"v1"});
  session.offer(set_of("v2", {"v2", "v3"}), 2);
  ASSERT_FALSE(wire.empty());
  EXPECT_TRUE(wire.front().removed.empty());
}

TEST_F(DeltaTest, what_the_proxy_had_when_the_stream_began_stays_while_something_is_rejected) {
  session.offer(set_of("v2", {"v2"}), 1);
  Request request;
  (*request.mutable_initial_resource_versions())["v1"] = "";
  say(Type::kCluster, request);
  while (!wire.empty()) {
    EXPECT_TRUE(wire.front().removed.empty());
    take_one(wire.front().type_url() == type_url(Type::kRoute) ? "RDS 'table': no" : "");
  }
  session.offer(set_of("v3", {"v2", "v3"}), 2);
  std::vector<std::string> removed;
  while (!wire.empty()) {
    if (!wire.front().removed.empty()) removed = wire.front().removed;
    take_one();
  }
  EXPECT_EQ(removed, std::vector<std::string>{"v1"});
}

TEST_F(DeltaTest, what_was_rejected_before_is_not_held_because_something_else_is_rejected_now) {
  const auto tables = [](const std::string& a, const std::string& b) {
    ResourceLists lists;
    add(lists, Type::kCluster, {"c", "c", {"c"}});
    add(lists, Type::kEndpoint, {"c", "e"});
    add(lists, Type::kListener, {"l", "l", {"a", "b"}});
    add(lists, Type::kRoute, {"a", a});
    add(lists, Type::kRoute, {"b", b});
    return std::make_shared<const ResourceSet>(to_set(std::move(lists)));
  };
  std::vector<Push> pushes;
  Session other([&](const Push& push) { pushes.push_back(push); }, AdsProtocol::kDelta);
  other.allow_table_changes();
  std::map<Type, bool> asked;
  const auto answer = [&](Type type, const std::string& rejection, std::vector<std::string> names) {
    Request request;
    request.set_type_url(std::string(type_url(type)));
    if (asked[type]) request.set_response_nonce(pushes.back().nonce);
    asked[type] = true;
    for (const std::string& name : names) request.add_resource_names_subscribe(name);
    if (!rejection.empty()) request.mutable_error_detail()->set_message(rejection);
    other.on_request(request);
  };
  other.offer(tables("A", "B"), 1);
  answer(Type::kCluster, "", {});
  answer(Type::kCluster, "", {});
  answer(Type::kEndpoint, "", {"c"});
  answer(Type::kEndpoint, "", {});
  answer(Type::kListener, "", {});
  answer(Type::kListener, "", {});
  answer(Type::kRoute, "", {"a", "b"});
  answer(Type::kRoute, "", {});
  ASSERT_EQ(other.running(), 1u);
  other.offer(tables("A2", "B"), 2);
  answer(Type::kRoute, "RDS 'a': no", {});
  other.offer(tables("A2", "B2"), 3);
  answer(Type::kRoute, "RDS 'b': no", {});
  other.offer(tables("A3", "B2"), 4);
  ASSERT_EQ(pushes.back().type, Type::kRoute);
  EXPECT_EQ(pushes.back().base->find("a")->message(), "A") << "it never had the other";
}

TEST_F(DeltaTest, what_is_on_its_way_when_more_is_sent_is_sent_with_it_and_can_be_rejected) {
  session.offer(set_of("v1", {"v1", "v2"}), 1);
  say(Type::kCluster, {});
  Request endpoints;
  endpoints.add_resource_names_subscribe("v1");
  endpoints.add_resource_names_subscribe("v2");
  say(Type::kEndpoint, endpoints);
  ASSERT_EQ(wire.size(), 2u);
  // Its endpoints are on their way; another target has others, and a first subscription begins a new round.
  ResourceSet changed = *set_of("v1", {"v1", "v2"});
  changed.set(Type::kEndpoint, changed[Type::kEndpoint].with({resource("v2", "another")}));
  session.offer(std::make_shared<const ResourceSet>(changed), 2);
  say(Type::kListener, {});
  ASSERT_EQ(wire.size(), 4u);
  ASSERT_EQ(wire[2].type_url(), type_url(Type::kEndpoint));
  EXPECT_EQ(wire[2].resources_size(), 2) << "also the one that has not been acknowledged";
}

TEST_F(DeltaTest, names_that_are_asked_for_once_more_are_all_sent_again_and_no_others) {
  ResourceLists lists;
  Request all, some;
  for (int i = 0; i < 100; ++i) {
    const std::string name = "e" + std::to_string(i);
    add(lists, Type::kEndpoint, {name, "x"});
    all.add_resource_names_subscribe(name);
    if (i % 3 == 0) some.add_resource_names_subscribe(name);
  }
  session.offer(std::make_shared<const ResourceSet>(to_set(std::move(lists))), 1);
  say(Type::kEndpoint, all);
  Request acknowledgement;
  acknowledgement.set_response_nonce(wire.back().nonce());
  say(Type::kEndpoint, acknowledgement);
  wire.clear();
  say(Type::kEndpoint, some);
  ASSERT_EQ(wire.size(), 1u);
  EXPECT_EQ(wire.front().resources_size(), 34);
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

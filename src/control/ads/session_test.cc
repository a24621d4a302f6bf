#include "control/ads/session.h"

#include <gtest/gtest.h>

#include "control/testing/scripted_proxy.h"

namespace weft::control {
namespace {

using testing::resource;
using testing::Response;
using testing::SessionBase;
using testing::set_of;

/// What holds of both protocols.
class SessionTest : public SessionBase, public ::testing::TestWithParam<AdsProtocol> {
 public:
  SessionTest() : SessionBase(GetParam()) {}
};
INSTANTIATE_TEST_SUITE_P(By, SessionTest,
                         ::testing::Values(AdsProtocol::kStateOfTheWorld, AdsProtocol::kDelta),
                         [](const auto& run) {
                           return run.param == AdsProtocol::kDelta ? "delta" : "state_of_the_world";
                         });

class StateOfTheWorldTest : public SessionBase, public ::testing::Test {
 public:
  StateOfTheWorldTest() : SessionBase(AdsProtocol::kStateOfTheWorld) {}
};

TEST_P(SessionTest, a_new_proxy_gets_clusters_endpoints_listeners_and_routes_once_each) {
  session.offer(set_of("v1", {"v1", "v2"}), 7);
  EXPECT_TRUE(wire.empty()) << "nothing was asked for yet";
  proxy.connect();
  deliver();
  EXPECT_EQ(proxy.log, (Log{"CDS 2", "EDS 2", "LDS 1", "RDS 1"}));
  EXPECT_EQ(session.running(), 7u);
}

TEST_P(SessionTest, a_change_that_does_not_concern_the_proxy_is_applied_without_a_word) {
  begin(set_of("v1", {"v1"}));
  session.offer(set_of("v1", {"v1"}), 2);
  EXPECT_TRUE(wire.empty());
  EXPECT_EQ(session.running(), 2u);
}

TEST_P(SessionTest, only_the_route_is_sent_when_only_the_route_changes) {
  begin(set_of("v1", {"v1", "v2"}));
  session.offer(set_of("v2", {"v1", "v2"}), 2);
  EXPECT_EQ(session.running(), 1u) << "not before the proxy has accepted it";
  deliver();
  EXPECT_EQ(proxy.log, (Log{"RDS 1"}));
  EXPECT_EQ(session.running(), 2u);
}

TEST_P(SessionTest, a_switch_that_replaces_the_cluster_sends_both_and_takes_the_old_one_away_last) {
  begin(set_of("v1", {"v1"}));
  session.offer(set_of("v2", {"v2"}), 2);
  deliver();
  EXPECT_EQ(proxy.log, (Log{"CDS 2", "EDS 1", "RDS 1", "CDS 1"}));
  EXPECT_EQ(proxy.clusters, std::set<std::string>{"v2"});
}

TEST_P(SessionTest, a_thousand_switches_never_leave_a_route_without_its_cluster_and_endpoints) {
  begin(set_of("v1", {"v1"}));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    session.offer(i % 3 == 0 ? set_of("v1", {"v1"}) : set_of(i % 3 == 1 ? "v3" : "v2", {"v1", "v2", "v3"}),
                  i + 2);
    // Some changes come while an earlier one is still on its way.
    if (i % 2 == 0)
      deliver();
    else if (!wire.empty())
      take_one();
  }
  deliver();
  EXPECT_EQ(session.running(), 1001u);
  EXPECT_EQ(proxy.route, "v1");
  EXPECT_EQ(proxy.clusters, std::set<std::string>{"v1"});
}

TEST_P(SessionTest, of_changes_that_come_while_one_is_on_its_way_only_the_newest_is_sent) {
  begin(set_of("v1", {"v1", "v2", "v3"}));
  session.offer(set_of("v2", {"v1", "v2", "v3"}), 2);
  session.offer(set_of("v1", {"v1", "v2", "v3"}), 3);
  session.offer(set_of("v3", {"v1", "v2", "v3"}), 4);
  deliver();
  EXPECT_EQ(proxy.log, (Log{"RDS 1", "RDS 1"}));
  EXPECT_EQ(proxy.route, "v3");
  EXPECT_EQ(session.running(), 4u);
}

TEST_P(SessionTest, routes_wait_until_the_new_clusters_and_endpoints_are_accepted) {
  begin(set_of("v1", {"v1"}));
  session.offer(set_of("v2", {"v1", "v2"}), 2);
  ASSERT_EQ(wire.size(), 1u);
  take_one();  // CDS; the proxy then asks for v2's endpoints
  ASSERT_EQ(wire.size(), 1u) << "endpoints only";
  EXPECT_EQ(wire.front().type_url(), type_url(Type::kEndpoint));
  take_one();
  ASSERT_EQ(wire.size(), 1u);
  EXPECT_EQ(wire.front().type_url(), type_url(Type::kRoute));
}

TEST_P(SessionTest, a_rejected_route_is_reported_with_its_reason_and_not_sent_again) {
  begin(set_of("v1", {"v1", "v2"}));
  session.offer(set_of("v2", {"v1", "v2"}), 2);
  take_one("no such thing");
  EXPECT_EQ(session.running(), 1u);
  ASSERT_TRUE(session.rejection_of(2));
  EXPECT_EQ(session.rejection_of(2)->reason, "no such thing");
  EXPECT_FALSE(session.rejection_of(1));
  EXPECT_EQ(session.report(Type::kRoute).nacked, 2u);
  session.offer(set_of("v2", {"v1", "v2"}), 3);
  EXPECT_TRUE(wire.empty());
  session.offer(set_of("v1", {"v1", "v2"}), 4);
  deliver();
  EXPECT_EQ(session.running(), 4u);
  EXPECT_FALSE(session.any_doubted());
  EXPECT_EQ(session.report(Type::kRoute).nacked, 0u);
}

/// What happens to a session one after another, and what it has to say then.
enum class Event : std::uint8_t {
  kBad,          ///< a change comes that the proxy rejects
  kOtherBad,     ///< another such form of the same route
  kGood,         ///< a change comes that the proxy accepts
  kNothing,      ///< the snapshot changes and the proxy's resources do not: a status was written
  kElsewhere,    ///< something else of the proxy's changes, and is accepted
  kAccepts,      ///< the proxy acknowledges what is on its way
  kRejects,      ///< it does not
  kRejectsLate,  ///< it rejects what it has acknowledged, or once more what it has rejected
};

struct Story {
  const char* name;
  std::vector<Event> events;
  std::uint64_t running;
  std::set<std::uint64_t> runs, rejected;  ///< of the generations from 2
};

class SessionStory : public SessionBase {
 public:
  using SessionBase::SessionBase;
  void tell(const Story& story) {
    begin(set_of("v1", {"v1", "v2", "bad", "worse"}));
    for (Event event : story.events) play(event);
    EXPECT_EQ(session.running(), story.running);
    std::set<std::uint64_t> runs, rejected;
    for (std::uint64_t since = 2; since <= generation_; ++since) {
      if (session.runs(since)) runs.insert(since);
      if (session.rejection_of(since)) rejected.insert(since);
    }
    EXPECT_EQ(runs, story.runs);
    EXPECT_EQ(rejected, story.rejected);
    EXPECT_EQ(session.any_doubted(), !story.rejected.empty());
    EXPECT_EQ(session.report(Type::kRoute).nacked != 0, !story.rejected.empty());
  }

 private:
  void play(Event event) {
    switch (event) {
      case Event::kBad: return offer("bad", form_);
      case Event::kOtherBad: return offer("worse", form_);
      case Event::kGood: return offer("v2", form_);
      case Event::kNothing: return offer(route_, form_);
      case Event::kElsewhere: return offer(route_, form_ = form_ == "c" ? "C" : "c");
      case Event::kAccepts: return deliver();
      case Event::kRejects: return take_one("RDS 'table': no");
      case Event::kRejectsLate: return proxy.complain(Type::kRoute, "RDS 'table': late");
    }
  }
  void offer(const std::string& route, const std::string& form) {
    route_ = route;
    session.offer(set_of(route, {"v1", "v2", "bad", "worse"}, form), ++generation_);
  }

  std::uint64_t generation_ = 1;
  std::string route_ = "v1", form_ = "c";
};

TEST_P(SessionTest, a_listener_that_stands_rejected_and_is_sent_again_blames_nobody_else) {
  begin(set_of("v1", {"v1"}));
  const auto with = [](std::initializer_list<const char*> listeners) {
    auto set = std::make_shared<ResourceSet>(*set_of("v1", {"v1"}));
    std::vector<ResourcePtr> more;
    for (const char* name : listeners) more.push_back(resource(name, name));
    set->set(Type::kListener, (*set)[Type::kListener].with(std::move(more)));
    return set;
  };
  session.offer(with({"taken"}), 2);
  take_one("LDS 'taken': the port is in use");
  EXPECT_TRUE(session.rejection_of(2));
  session.offer(with({"taken", "other"}), 3);
  take_one("LDS 'taken': the port is in use");
  EXPECT_TRUE(wire.empty());
  EXPECT_TRUE(session.runs(3));
  EXPECT_FALSE(session.rejection_of(3));
  EXPECT_TRUE(session.rejection_of(2));
}

TEST_P(SessionTest, what_was_rejected_stays_so_until_it_has_changed_whatever_comes_between) {
  using enum Event;
  const Story stories[] = {
      {"accepted", {kGood, kAccepts}, 2, {2}, {}},
      {"on its way", {kGood}, 1, {}, {}},
      {"rejected", {kBad, kRejects}, 1, {}, {2}},
      {"a status write does not make it applied", {kBad, kRejects, kNothing}, 1, {3}, {2}},
      {"nor do many", {kBad, kRejects, kNothing, kNothing, kNothing}, 1, {3, 4, 5}, {2}},
      {"nor does a change of something else",
       {kBad, kRejects, kElsewhere, kAccepts, kNothing},
       1,
       {3, 4},
       {2}},
      {"said twice", {kBad, kRejects, kRejectsLate, kNothing}, 1, {3}, {2}},
      {"replaced by another that is rejected", {kBad, kRejects, kOtherBad, kRejects}, 1, {}, {2, 3}},
      {"replaced by a good one", {kBad, kRejects, kGood, kAccepts}, 3, {2, 3}, {}},
      {"twice rejected, then replaced",
       {kBad, kRejects, kOtherBad, kRejects, kGood, kAccepts},
       4,
       {2, 3, 4},
       {}},
      {"rejected after it was accepted", {kBad, kAccepts, kRejectsLate}, 1, {}, {2}},
      {"the same after a status write", {kBad, kAccepts, kNothing, kRejectsLate}, 1, {3}, {2}},
      {"and before one", {kBad, kAccepts, kRejectsLate, kNothing, kNothing}, 1, {3, 4}, {2}},
      {"late twice", {kBad, kAccepts, kRejectsLate, kRejectsLate, kNothing}, 1, {3}, {2}},
      {"late, then replaced", {kBad, kAccepts, kRejectsLate, kGood, kAccepts}, 3, {2, 3}, {}},
      {"a good change between", {kGood, kAccepts, kBad, kRejects, kNothing}, 2, {2, 4}, {3}},
  };
  for (const Story& story : stories) {
    SCOPED_TRACE(story.name);
    SessionStory one(GetParam());
    one.tell(story);
  }
}

TEST_P(SessionTest, rejected_clusters_keep_routes_that_may_need_them_back) {
  begin(set_of("v1", {"v1"}));
  session.offer(set_of("v2", {"v1", "v2"}), 2);
  take_one("bad cluster");
  EXPECT_TRUE(wire.empty());
  EXPECT_EQ(session.running(), 1u);
  session.offer(set_of("v1", {"v1"}), 3);
  deliver();
  EXPECT_EQ(session.running(), 3u);
  EXPECT_EQ(proxy.clusters, std::set<std::string>{"v1"});
}

TEST_P(SessionTest, a_cluster_whose_definition_changes_gets_its_endpoints_again) {
  begin(set_of("v1", {"v1"}));
  session.offer(set_of("v1", {"v1"}, "C"), 2);
  deliver();
  EXPECT_EQ(proxy.log, (Log{"CDS 1", "EDS 1"}));
}

TEST_P(SessionTest, a_cluster_that_went_and_came_back_before_the_proxy_asked_again_gets_its_endpoints_again) {
  begin(set_of("v1", {"v1", "v2"}));
  session.offer(set_of("v1", {"v1"}), 2);
  only_acknowledge_one();
  session.offer(set_of("v1", {"v1", "v2"}), 3);
  only_acknowledge_one();
  ASSERT_EQ(wire.size(), 1u) << "the proxy created v2 again, and asks for the names that it asked for before";
  EXPECT_EQ(wire.front().type_url(), type_url(Type::kEndpoint));
  deliver();
  EXPECT_EQ(proxy.log, (Log{"CDS 1", "CDS 2", "EDS 1"}));
  EXPECT_EQ(session.running(), 3u);
}

TEST_P(SessionTest, a_listener_that_went_and_came_back_before_the_proxy_asked_again_gets_its_routes_again) {
  begin(set_of("v1", {"v1"}));
  auto without = std::make_shared<ResourceSet>(*set_of("v1", {"v1"}));
  without->set(Type::kListener, empty_table());
  without->set(Type::kRoute, empty_table());
  session.offer(without, 2);
  only_acknowledge_one();
  session.offer(set_of("v1", {"v1"}), 3);
  only_acknowledge_one();
  ASSERT_EQ(wire.size(), 1u);
  deliver();
  EXPECT_EQ(proxy.log, (Log{"LDS 0", "LDS 1", "RDS 1"}));
  EXPECT_EQ(session.running(), 3u);
}

TEST_P(SessionTest, a_request_that_comes_when_its_stage_has_passed_is_answered_in_another_round) {
  begin(set_of("v1", {"v1", "v2"}));
  session.offer(set_of("v1", {"v1"}), 2);
  ASSERT_EQ(wire.size(), 1u) << "the list of clusters without v2";
  proxy.ask(Type::kEndpoint, proxy.nonce(Type::kEndpoint));
  EXPECT_EQ(wire.size(), 1u);
  only_acknowledge_one();
  ASSERT_EQ(wire.size(), 1u);
  EXPECT_EQ(wire.front().type_url(), type_url(Type::kEndpoint));
  only_acknowledge_one();
  EXPECT_TRUE(wire.empty());
  EXPECT_EQ(session.running(), 2u);
}

TEST_F(StateOfTheWorldTest, a_repeated_request_is_answered_and_one_with_an_old_nonce_is_not) {
  begin(set_of("v1", {"v1"}));
  proxy.ask(Type::kEndpoint, proxy.nonce(Type::kEndpoint));
  ASSERT_EQ(wire.size(), 1u);
  EXPECT_EQ(wire.front().resources_size(), 1);
  proxy.ask(Type::kEndpoint, proxy.nonce(Type::kEndpoint));
  EXPECT_EQ(wire.size(), 1u) << "its nonce is not that of the response on its way";
}

TEST_F(StateOfTheWorldTest, a_name_that_nobody_knows_is_answered_with_an_empty_resource) {
  session.offer(set_of("v1", {"v1"}), 1);
  Session::Request request;
  request.set_type_url(std::string(type_url(Type::kEndpoint)));
  request.add_resource_names("gone");
  session.on_request(request);
  ASSERT_EQ(wire.size(), 1u);
  EXPECT_EQ(wire.front().resources_size(), 1);
}

TEST_F(StateOfTheWorldTest, types_that_we_have_nothing_of_stay_unanswered) {
  session.offer(set_of("v1", {"v1"}), 1);
  Session::Request request;
  request.set_type_url("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret");
  session.on_request(request);
  EXPECT_TRUE(wire.empty());
}

TEST_P(SessionTest, a_rejected_form_of_a_cluster_that_the_proxy_has_holds_nothing_back) {
  begin(set_of("v1", {"v1", "v2"}));
  session.offer(set_of("v2", {"v1", "v2"}, "C"), 2);
  take_one("CDS 'v1': bad; CDS 'v2': bad");
  deliver();
  EXPECT_EQ(proxy.route, "v2") << "the clusters of before are there";
  EXPECT_TRUE(session.rejection_of(2));
  session.offer(set_of("v1", {"v1", "v2"}, "C"), 3);
  deliver();
  EXPECT_EQ(proxy.route, "v1");
  EXPECT_TRUE(session.runs(3));
  EXPECT_FALSE(session.runs(2));
}

TEST_P(SessionTest, a_rejected_route_keeps_the_clusters_of_its_time_and_none_since) {
  begin(set_of("v1", {"v1"}));
  session.offer(set_of("bad", {"bad"}), 2);
  deliver_with_rejected(Type::kRoute, "RDS 'table': no");
  for (std::uint64_t i = 0; i < 100; ++i) {
    const std::string name = "n" + std::to_string(i);
    session.offer(set_of("bad", {"bad", name.c_str()}), i + 3);
    deliver();
    EXPECT_EQ(proxy.clusters, (std::set<std::string>{"bad", name, "v1"}));
  }
  EXPECT_TRUE(session.rejection_of(2));
  session.offer(set_of("v2", {"v2"}), 103);
  deliver();
  EXPECT_EQ(proxy.clusters, std::set<std::string>{"v2"});
  EXPECT_FALSE(session.any_doubted());
}

TEST_P(SessionTest, routes_that_are_rejected_one_after_another_leave_no_clusters_behind) {
  begin(set_of("v1", {"v1"}));
  for (std::uint64_t i = 0; i < 100; ++i) {
    const std::string name = "n" + std::to_string(i);
    session.offer(set_of(name, {name.c_str()}), i + 2);
    deliver_with_rejected(Type::kRoute, "RDS 'table': no");
    EXPECT_EQ(proxy.clusters, (std::set<std::string>{name, "v1"}));
  }
  EXPECT_EQ(session.running(), 1u);
  for (std::uint64_t since = 2; since < 102; ++since) EXPECT_TRUE(session.rejection_of(since)) << since;
}

TEST_P(SessionTest, a_route_that_turns_out_late_not_to_be_possible_keeps_the_clusters_of_before_it) {
  begin(set_of("v1", {"v1"}));
  session.offer(set_of("v2", {"v1", "v2"}), 2);
  deliver();
  proxy.complain(Type::kRoute, "RDS 'table': late");
  proxy.route = "v1";
  session.offer(set_of("v2", {"v2"}), 3);
  deliver();
  EXPECT_EQ(proxy.clusters, (std::set<std::string>{"v1", "v2"}));
}

TEST_P(SessionTest, a_cluster_that_stays_rejected_makes_the_list_no_longer) {
  begin(set_of("v1", {"v1"}));
  for (std::uint64_t i = 0; i < 100; ++i) {
    const std::string name = "n" + std::to_string(i);
    session.offer(set_of(name, {name.c_str(), "bad"}), i + 2);
    int last = 0;
    while (!wire.empty()) {
      if (wire.front().type_url() != type_url(Type::kCluster)) {
        take_one();
        continue;
      }
      const Response clusters = wire.front();
      wire.pop_front();
      last = clusters.resources_size();
      proxy.take_all_but("bad", clusters);
    }
    EXPECT_LE(last, 3) << "the two that are wanted, and the one that the routes lead to";
  }
  session.offer(set_of("v2", {"v2"}), 102);
  deliver();
  EXPECT_EQ(proxy.clusters, std::set<std::string>{"v2"});
}

TEST_P(SessionTest, of_a_response_that_was_rejected_only_what_the_reason_names_is_doubted) {
  begin(set_of("v1", {"v1"}));
  session.offer(set_of("v1", {"v1", "bad", "good"}), 2);
  take_one("CDS 'bad': no");
  session.offer(set_of("v1", {"v1", "good"}), 3);
  deliver();
  EXPECT_TRUE(session.runs(2));
  EXPECT_EQ(session.running(), 3u);
  EXPECT_FALSE(session.any_doubted());
}

TEST_P(SessionTest, what_a_proxy_lists_as_rejected_is_doubted_whichever_response_it_came_in) {
  begin(set_of("v1", {"v1"}));
  session.offer(set_of("v1", {"v1", "v2"}), 2);
  deliver();
  proxy.complain(Type::kEndpoint, "EDS 'v2': in use; EDS 'v1': in use");
  session.offer(set_of("v1", {"v1"}), 3);
  deliver();
  EXPECT_TRUE(session.any_doubted()) << "the proxy still has not the endpoints of v1";
}

}  // namespace
}  // namespace weft::control

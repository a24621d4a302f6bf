#include "store/kubernetes/lease.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "store/wire.h"

namespace weft::store {
namespace {

/// The Lease's server: one object with a version; may be away, or respond late.
class LeaseServer final : public RawApi {
 public:
  explicit LeaseServer(net::Loop& loop) : loop_(loop) {}

  net::Task<Result<api::Json>> call(RawRequest request) override {
    if (delay > Duration::zero()) co_await loop_.sleep(delay);
    if (away) co_return fail(Error::upstream(Code::kUnavailable, Retry::kNever, "away"));
    if (request.method == "GET") {
      if (!stored) co_return fail(Error::config(Code::kNotFound, "leases not found"));
      co_return *stored;
    }
    const bool fresh = request.method == "POST";
    const std::string version = text_member(request.body["metadata"], "resourceVersion");
    if (fresh ? stored.has_value() : !stored || version != std::to_string(version_))
      co_return fail(Error::config(Code::kConflict, "modified"));
    stored = request.body;
    (*stored)["metadata"]["resourceVersion"] = std::to_string(++version_);
    ++writes;
    co_return *stored;
  }
  std::string holder() const { return stored ? text_member((*stored)["spec"], "holderIdentity") : ""; }

  std::optional<api::Json> stored;
  bool away = false;
  Duration delay = Duration::zero();
  int writes = 0;

 private:
  net::Loop& loop_;
  int version_ = 0;
};

class LeaseTest : public ::testing::Test {
 protected:
  std::unique_ptr<Lease> candidate(const std::string& name, RawApi& api) {
    LeaseOptions options;
    options.ns = "weft-system";
    options.name = "weft-control-leader";
    options.identity = name;
    options.clock = [this] { return loop_->now() + paused_; };
    auto lease = std::make_unique<Lease>(*loop_, api, std::move(options), [this, name](bool leads) {
      heard_ += name + (leads ? "+ " : "- ");
    });
    lease->start();
    return lease;
  }
  /// Moves on in small steps; two leaders at one moment fail the test.
  void advance(Duration by, const std::vector<Lease*>& all) {
    for (Duration done = Duration::zero(); done < by; done += 100ms) {
      loop_->advance(100ms);
      int leaders = 0;
      for (const Lease* each : all) leaders += each->leads() ? 1 : 0;
      ASSERT_LE(leaders, 1);
    }
  }

  std::unique_ptr<net::Loop> loop_ = net::Loop::simulated();
  Duration paused_ = Duration::zero();
  LeaseServer server_{*loop_};
  std::string heard_;
};

TEST_F(LeaseTest, the_first_leads_and_renews_and_the_others_wait) {
  const auto a = candidate("a", server_);
  loop_->advance(1s);
  const auto b = candidate("b", server_);
  advance(120s, {a.get(), b.get()});
  EXPECT_TRUE(a->leads());
  EXPECT_FALSE(b->leads());
  EXPECT_EQ(b->holder(), "a");
  EXPECT_EQ(heard_, "a+ ");
  EXPECT_GE(server_.writes, 50);
}

TEST_F(LeaseTest, a_leader_that_exits_lets_another_follow_within_a_retry) {
  const auto a = candidate("a", server_);
  loop_->advance(1s);
  const auto b = candidate("b", server_);
  advance(10s, {a.get(), b.get()});
  net::TaskScope scope;
  scope.spawn(a->release());
  advance(5s, {a.get(), b.get()});
  EXPECT_TRUE(b->leads());
  EXPECT_EQ(heard_, "a+ a- b+ ");
  EXPECT_EQ((*server_.stored)["spec"]["leaseTransitions"], 1);
}

TEST_F(LeaseTest, a_leader_that_vanishes_is_followed_after_the_lease_and_not_before) {
  auto a = candidate("a", server_);
  loop_->advance(1s);
  const auto b = candidate("b", server_);
  advance(10s, {b.get(), a.get()});
  a.reset();
  advance(12s, {b.get()});
  EXPECT_FALSE(b->leads());
  advance(10s, {b.get()});
  EXPECT_TRUE(b->leads());
}

TEST_F(LeaseTest, a_leader_that_cannot_renew_steps_down_before_another_may_lead) {
  LeaseServer cut(*loop_);
  const auto a = candidate("a", cut);
  loop_->advance(1s);
  ASSERT_TRUE(a->leads());
  cut.away = true;
  // The last renewal was at most one retry ago; ten seconds after it is the end.
  advance(7s, {a.get()});
  EXPECT_TRUE(a->leads());
  advance(4s, {a.get()});
  EXPECT_FALSE(a->leads());
  EXPECT_EQ(heard_, "a+ a- ");
  cut.away = false;
  advance(3s + 2s, {a.get()});
  EXPECT_TRUE(a->leads());
}

TEST_F(LeaseTest, a_response_that_hangs_does_not_make_a_leader_for_longer) {
  const auto a = candidate("a", server_);
  loop_->advance(1s);
  server_.delay = 60s;
  advance(11s, {a.get()});
  EXPECT_FALSE(a->leads());
  EXPECT_EQ(heard_, "a+ a- ");
}

TEST_F(LeaseTest, a_process_that_was_stopped_knows_at_once_that_it_leads_no_more) {
  const auto a = candidate("a", server_);
  loop_->advance(1s);
  ASSERT_TRUE(a->leads());
  paused_ = 20s;  // the clock has moved on, and no turn of the loop has come
  EXPECT_FALSE(a->leads());
}

TEST_F(LeaseTest, times_of_another_clock_are_not_believed) {
  api::Json lease = {{"apiVersion", "coordination.k8s.io/v1"}, {"kind", "Lease"}};
  lease["metadata"] = {{"name", "weft-control-leader"}, {"resourceVersion", "0"}};
  lease["spec"] = {{"holderIdentity", "old"},
                   {"leaseDurationSeconds", 1},
                   {"renewTime", "1999-01-01T00:00:00.000000Z"},
                   {"acquireTime", "nonsense"}};
  server_.stored = lease;
  const auto a = candidate("a", server_);
  advance(14s, {a.get()});
  EXPECT_FALSE(a->leads());
  advance(8s, {a.get()});
  EXPECT_TRUE(a->leads());
}

TEST_F(LeaseTest, of_many_that_come_together_one_leads) {
  std::vector<std::unique_ptr<Lease>> all;
  std::vector<Lease*> seen;
  for (int i = 0; i < 8; ++i) all.push_back(candidate("c" + std::to_string(i), server_));
  for (const auto& each : all) seen.push_back(each.get());
  server_.delay = 50ms;
  for (int round = 0; round < 4; ++round) {
    advance(30s, seen);
    int leaders = 0;
    std::size_t leader = 0;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if (!seen[i]->leads()) continue;
      ++leaders;
      leader = i;
    }
    ASSERT_EQ(leaders, 1);
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(leader));
    seen.erase(seen.begin() + static_cast<std::ptrdiff_t>(leader));
  }
}

TEST_F(LeaseTest, a_record_of_odd_shape_is_taken_over_like_an_empty_one) {
  for (const char* text :
       {"{}", R"({"spec":7})", R"({"spec":{"holderIdentity":5,"leaseDurationSeconds":"x"}})"}) {
    server_.stored = api::Json::parse(text);
    (*server_.stored)["metadata"]["resourceVersion"] = "0";
    LeaseServer fresh(*loop_);
    fresh.stored = server_.stored;
    const auto a = candidate("a", fresh);
    advance(5s, {a.get()});
    EXPECT_TRUE(a->leads()) << text;
  }
}

}  // namespace
}  // namespace weft::store

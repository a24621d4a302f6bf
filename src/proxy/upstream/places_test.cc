#include "proxy/upstream/places.h"

#include <gtest/gtest.h>

#include "proxy/testing/simulated_plane.h"
#include "proxy/upstream/endpoint_pool.h"

namespace weft::proxy {
namespace {

/// Two endpoints of one cluster in one worker.
class ConnectionPlaces : public ::testing::Test {
 protected:
  std::shared_ptr<EndpointPool> endpoint(int number) {
    return std::make_shared<EndpointPool>(
        *loop, share, Endpoint{.address = testing::simulated_endpoint(number), .hostname = {}}, 0);
  }
  std::uint32_t used() const { return usage->connections; }
  std::uint64_t active() const { return share->counters.upstream_cx_active; }

  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  std::shared_ptr<ClusterUsage> usage = std::make_shared<ClusterUsage>();
  std::shared_ptr<ClusterShare> share = std::make_shared<ClusterShare>(usage);
  std::shared_ptr<EndpointPool> one = endpoint(1), two = endpoint(2);
};

TEST_F(ConnectionPlaces, are_counted_for_their_endpoint_their_worker_and_the_process_until_they_end) {
  {
    const ConnectionPlace first = ConnectionPlace::take(one, ConnectionUse::kHttp1, 3),
                          second = ConnectionPlace::take(one, ConnectionUse::kHttp1, 3),
                          third = ConnectionPlace::take(two, ConnectionUse::kHttp1, 3);
    EXPECT_TRUE(first && second && third);
    EXPECT_EQ(first.endpoint(), one);
    EXPECT_EQ(one->connections(), 2u);
    EXPECT_EQ(two->connections(), 1u);
    EXPECT_EQ(active(), 3u);
    EXPECT_EQ(used(), 3u);
  }
  EXPECT_EQ(one->connections() + two->connections(), 0u);
  EXPECT_EQ(active(), 0u);
  EXPECT_EQ(share->counters.upstream_cx_destroy, 3u);
  EXPECT_EQ(used(), 0u);
}

TEST_F(ConnectionPlaces, are_within_a_limit_of_all_endpoints_and_workers_together_unless_taken_beyond_it) {
  const ConnectionPlace first = ConnectionPlace::take(one, ConnectionUse::kHttp1, 2);
  usage->connections += 1;  // of another worker
  EXPECT_FALSE(ConnectionPlace::take(two, ConnectionUse::kHttp1, 2));
  EXPECT_EQ(two->connections(), 0u);
  EXPECT_EQ(active(), 1u);
  EXPECT_EQ(used(), 2u);
  const ConnectionPlace beyond = ConnectionPlace::beyond(two, ConnectionUse::kHttp1);
  EXPECT_TRUE(beyond);
  EXPECT_EQ(two->connections(), 1u);
  EXPECT_EQ(active(), 2u);
  EXPECT_EQ(used(), 3u);
  EXPECT_FALSE(ConnectionPlace::take(one, ConnectionUse::kHttp1, 0));
}

TEST_F(ConnectionPlaces, move_with_their_connection_and_are_given_back_once) {
  std::optional<ConnectionPlace> from = ConnectionPlace::take(one, ConnectionUse::kHttp1, 1);
  std::optional<ConnectionPlace> to = std::move(*from);
  EXPECT_FALSE(*from);
  from.reset();
  EXPECT_EQ(used(), 1u);
  EXPECT_TRUE(*to);
  to.reset();
  EXPECT_EQ(used(), 0u);
  EXPECT_FALSE(ConnectionPlace());
}

TEST_F(ConnectionPlaces, keep_their_endpoint_and_their_worker_s_share_of_the_cluster) {
  std::optional<ConnectionPlace> place = ConnectionPlace::take(one, ConnectionUse::kHttp1, 1);
  const std::weak_ptr<EndpointPool> pool = one;
  const std::weak_ptr<ClusterShare> of_worker = share;
  one = two = nullptr;
  share = nullptr;
  EXPECT_FALSE(pool.expired() || of_worker.expired());
  place.reset();
  EXPECT_TRUE(pool.expired() && of_worker.expired());
  EXPECT_EQ(used(), 0u);
}

TEST_F(ConnectionPlaces, wake_the_first_request_in_line_when_they_end_and_no_other) {
  std::string log;
  net::TaskScope scope;
  std::optional<ConnectionPlace> place = ConnectionPlace::take(one, ConnectionUse::kHttp1, 1), next;
  const auto wait = [&](std::string name) -> net::Task<void> {
    WaitingLine::Turn turn(*loop, share->waiting, Place::take(usage->pending, 9), share->counters, nullptr);
    while (co_await turn.wait(kNever)) {
      ConnectionPlace taken = ConnectionPlace::take(one, ConnectionUse::kHttp1, 1);
      if (!taken) continue;
      log += name;
      next.emplace(std::move(taken));
      co_return;
    }
  };
  scope.spawn(wait("a"));
  scope.spawn(wait("b"));
  EXPECT_EQ(share->counters.upstream_rq_pending_active, 2u);
  EXPECT_EQ(usage->pending, 2u);
  place.reset();
  EXPECT_EQ(log, "") << "the one that gave it back goes on first";
  loop->advance(1ms);
  EXPECT_EQ(log, "a");
  EXPECT_EQ(share->counters.upstream_rq_pending_active, 1u);
  EXPECT_EQ(share->counters.upstream_rq_pending_total, 2u);
  EXPECT_EQ(usage->pending, 1u);
  scope.cancel_all();
  EXPECT_EQ(usage->pending, 0u);
}

TEST_F(ConnectionPlaces, a_handle_of_a_request_that_waits_for_nothing_gives_nothing_up) {
  WaitingLine::Handle handle;
  handle.give_up();
  EXPECT_EQ(handle.turn, nullptr);
}

}  // namespace
}  // namespace weft::proxy

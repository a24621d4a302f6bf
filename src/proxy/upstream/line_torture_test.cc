#include <gtest/gtest.h>

#include <list>

#include "http/server_session.h"
#include "net/testing/pipe.h"
#include "net/testing/seeds.h"
#include "proxy/testing/plane.h"
#include "proxy/testing/simulated_plane.h"
#include "proxy/upstream/upstream_cluster.h"

namespace weft::proxy {
namespace {

using net::testing::PipeEnd;

constexpr std::array kUses = {ConnectionUse::kHttp1, ConnectionUse::kHttp2, ConnectionUse::kTcp};

/// Requests of all uses at a cluster of one worker whose limit is low, and everything that befalls them.
/// After each event nobody waits for what is there.
class LineTorture {
 public:
  LineTorture(std::uint64_t seed, std::size_t& waited) : random_(seed), waited_(waited) {
    by_destination_ = random_.below(3) == 0;
    const auto connector = [this](net::Loop&, net::Address, net::ConnectOptions options) {
      return connect(options.deadline);
    };
    cluster_ = std::make_shared<UpstreamCluster>(*loop_, cluster_random_, dns_, connector,
                                                 testing::compiled(config(), usage_));
  }

  void run() {
    for (int step = 0; step < 200 && !::testing::Test::HasFailure(); ++step) {
      act();
      loop_->advance(Duration::zero());
      check();
    }
    usage_->connections -= std::exchange(of_others_, 0);
    for (int round = 0; round < 1000 && !requests_.empty(); ++round) {
      for (Asked& each : requests_) each.lease.give_back();
      loop_->advance(100ms);
      std::erase_if(requests_, [](const Asked& each) { return each.over && !each.lease; });
    }
    EXPECT_TRUE(requests_.empty()) << requests_.size() << " without an end";
    tasks_.cancel_all();
    cluster_.reset();
    EXPECT_EQ(usage_->connections + usage_->pending, 0u);
  }

 private:
  struct Asked {
    UpstreamCluster::Request request;
    WaitingLine::Handle handle;
    std::vector<const EndpointPool*> avoid;
    std::vector<std::shared_ptr<EndpointPool>> avoided;
    Lease lease;
    bool over = false;
  };
  struct Server {
    std::unique_ptr<PipeEnd> end;
    http::ServerSessionOptions options;
    std::unique_ptr<http::ServerSession> session;
    net::TaskScope tasks;
  };

  std::shared_ptr<ClusterConfig> config() {
    std::vector<net::Address> addresses;
    for (int i = 1; i <= 4; ++i)
      if (random_.below(2)) addresses.push_back(testing::simulated_endpoint(i));
    if (addresses.empty()) addresses.push_back(testing::simulated_endpoint(1));
    auto made = std::make_shared<ClusterConfig>(testing::cluster_of("c", addresses));
    if (by_destination_) {
      made->discovery = ClusterConfig::Discovery::kOriginalDestination;
      made->endpoints = nullptr;
    }
    made->balance = std::array{ClusterConfig::Balance::kRoundRobin, ClusterConfig::Balance::kLeastRequest,
                               ClusterConfig::Balance::kRandom}[random_.below(3)];
    made->max_connections = static_cast<std::uint32_t>(random_.below(6));
    made->max_requests_per_connection = static_cast<std::uint32_t>(random_.below(2) * random_.below(5));
    made->max_pending_requests = random_.below(4) ? Place::kUnlimited : 3;
    made->idle_timeout = Milliseconds(random_.below(2) ? 3'600'000 : random_.below(10));
    made->connect_timeout = Milliseconds(50);
    return made;
  }

  net::Task<Result<Connection>> connect(TimePoint deadline) {
    const TimePoint reached = loop_->now() + Milliseconds(random_.below(60));
    if (random_.below(3) == 0) co_await loop_->sleep_until(std::min(reached, deadline));
    if (loop_->now() >= deadline || random_.below(10) == 0)
      co_return fail(Error::upstream(Code::kRefused, Retry::kElsewhere, "connection refused"));
    auto [client, end] = net::testing::make_pipe(*loop_);
    Server& server = servers_.emplace_back();
    server.end = std::move(end);
    server.options.http2.max_concurrent_streams = static_cast<std::uint32_t>(1 + random_.below(4));
    server.session = http::make_server_session(http::Protocol::kAuto, *server.end, server.options);
    server.tasks.spawn(serve(*server.session));
    co_return Connection{std::move(client), *net::Address::parse_ip("10.0.0.254", 50000)};
  }
  static net::Task<void> serve(http::ServerSession& session) {
    const http::Handler nothing = [](http::ServerExchange&) -> net::Task<void> { co_return; };
    co_await session.serve(nothing);
  }

  void act() {
    switch (random_.below(13)) {
      case 0: return loop_->advance(Milliseconds(random_.below(30)));
      case 1: return cluster_->update(testing::compiled(config(), usage_));
      case 2: return end_a_connection();
      case 3: return use_in_another_worker();
      case 4: return give_one_up();
      case 5:
      case 6:
      case 7: return give_one_back();
      default: return ask();
    }
  }
  void ask() {
    Asked& asked = requests_.emplace_back();
    UpstreamCluster::Request& request = asked.request;
    request.protocol = random_.below(2) ? http::Protocol::kHttp1 : http::Protocol::kHttp2;
    request.fresh = request.protocol == http::Protocol::kHttp1 && random_.below(5) == 0;
    request.tunnel = random_.below(8) == 0;
    if (random_.below(4) == 0) request.deadline = loop_->now() + Milliseconds(1 + random_.below(100));
    if (by_destination_)
      request.original_destination = testing::simulated_endpoint(static_cast<int>(1 + random_.below(4)));
    if (random_.below(4) == 0)
      for (const auto& [text, endpoint] : cluster_->endpoints()) {
        asked.avoid.push_back(endpoint.get());
        asked.avoided.push_back(endpoint);
        if (random_.below(2)) break;
      }
    request.avoid = asked.avoid;
    request.waiting = &asked.handle;
    tasks_.spawn(lease(asked));
  }
  net::Task<void> lease(Asked& asked) {
    auto got = co_await cluster_->lease(asked.request);
    if (got) asked.lease = std::move(*got);
    asked.over = true;
  }
  void give_one_back() {
    std::vector<std::list<Asked>::iterator> over;
    for (auto each = requests_.begin(); each != requests_.end(); ++each)
      if (each->over) over.push_back(each);
    if (!over.empty()) requests_.erase(over[random_.below(over.size())]);
  }
  void give_one_up() {
    for (Asked& each : requests_)
      if (!each.over && random_.below(3) == 0) return each.handle.give_up();
  }
  void end_a_connection() {
    if (servers_.empty()) return;
    const auto server = std::next(servers_.begin(), static_cast<long>(random_.below(servers_.size())));
    if (random_.below(2)) return server->session->drain();
    server->tasks.cancel_all();
    servers_.erase(server);
  }
  /// This worker looks at what others use from time to time.
  void use_in_another_worker() {
    const std::uint32_t now = static_cast<std::uint32_t>(random_.below(3));
    usage_->connections += now - std::exchange(of_others_, now);
    loop_->advance(60ms);
  }

  void check() {
    std::size_t waiting = 0;
    for (const Asked& each : requests_) {
      if (!each.over) EXPECT_GE(each.request.deadline, loop_->now());
      waiting += each.handle.turn != nullptr;
    }
    EXPECT_EQ(cluster_->counters().upstream_rq_pending_active, waiting);
    waited_ += waiting;
    bool idle = false;
    for (const auto& [text, endpoint] : cluster_->endpoints()) idle |= endpoint->idle_connections() > 0;
    const bool place = usage_->connections < cluster_->config().max_connections;
    for (const auto& [text, endpoint] : cluster_->endpoints())
      for (const ConnectionUse use : kUses) {
        if (!endpoint->waited_for(use)) continue;
        // Time alone makes room at an endpoint that could not be reached, and is looked at now and then.
        EXPECT_FALSE(idle || place || endpoint->has_room_at_limit(use, loop_->now() - 50ms))
            << text << " use " << static_cast<int>(use) << (idle ? " idle" : "") << (place ? " place" : "");
      }
  }

  Random random_, cluster_random_{1};
  std::size_t& waited_;
  bool by_destination_ = false;
  std::uint32_t of_others_ = 0;
  std::unique_ptr<net::Loop> loop_ = net::Loop::simulated();
  net::DnsResolver dns_{*loop_};
  std::shared_ptr<ClusterUsage> usage_ = std::make_shared<ClusterUsage>();
  std::list<Server> servers_;
  std::shared_ptr<UpstreamCluster> cluster_;
  std::list<Asked> requests_;
  net::TaskScope tasks_;
};

/// SEED=n repeats one; SEEDS=n tries that many.
TEST(LineTorture, no_request_waits_while_an_endpoint_that_it_may_use_has_room) {
  std::size_t waited = 0;
  const std::uint64_t count =
      net::testing::try_seeds(1000, [&](std::uint64_t seed) { LineTorture(seed, waited).run(); });
  if (count >= 100 && !::testing::Test::HasFailure())
    EXPECT_GT(waited, count * 100) << "a line that is nearly always empty proves nothing";
}

}  // namespace
}  // namespace weft::proxy

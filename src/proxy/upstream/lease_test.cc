#include "proxy/upstream/lease.h"

#include <gtest/gtest.h>

#include "net/testing/pipe.h"
#include "proxy/testing/plane.h"
#include "proxy/testing/simulated_plane.h"
#include "proxy/upstream/upstream_cluster.h"

namespace weft::proxy {
namespace {

using net::testing::PipeEnd;

/// A cluster of one endpoint, whose connections are pipes.
class LeaseTest : public ::testing::Test {
 protected:
  LeaseTest() {
    auto endpoints = std::make_shared<Endpoints>();
    Locality& locality = endpoints->localities.emplace_back();
    locality.endpoints.push_back({.address = testing::simulated_endpoint(1), .hostname = {}});
    auto config = std::make_shared<ClusterConfig>();
    config->name = "c";
    config->endpoints = std::move(endpoints);
    const auto connector = [this](net::Loop&, net::Address, net::ConnectOptions) { return connect(); };
    cluster =
        std::make_shared<UpstreamCluster>(*loop, random, dns, connector, testing::compiled(config, usage));
  }
  net::Task<Result<Connection>> connect() {
    auto [client, server] = net::testing::make_pipe(*loop);
    servers.push_back(std::move(server));
    co_return Connection{std::move(client), *net::Address::parse_ip("10.0.0.254", 50000)};
  }
  Lease lease() {
    Lease made;
    const auto keep = [&]() -> net::Task<void> {
      if (auto got = co_await cluster->lease({})) made = std::move(*got);
    };
    scope.spawn(keep());
    loop->settle();
    EXPECT_TRUE(made);
    return made;
  }
  /// One request and its response; without the end of its body when not `whole`.
  void exchange(Lease& with, bool whole = true) {
    const auto ask = [&]() -> net::Task<void> {
      http::RequestHead head;
      head.method = "GET";
      head.path = "/";
      head.authority = "a";
      static_cast<void>(co_await with.exchange().send_head(head, true));
      http::ResponseHead answer;
      static_cast<void>(co_await with.exchange().read_head(answer));
      if (whole) static_cast<void>(co_await with.exchange().read_body());
    };
    scope.spawn(ask());
    loop->settle();
    EXPECT_TRUE(servers.back()->take().starts_with("GET / HTTP/1.1\r\n"));
    const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    const iovec part{const_cast<char*>(text.data()), text.size() - (whole ? 0 : 1)};
    servers.back()->try_write(std::span(&part, 1));
    loop->settle();
  }
  EndpointPool& endpoint() { return *cluster->endpoints().at("10.0.0.1:80"); }
  bool ended(PipeEnd& server) {
    char byte;
    loop->settle();
    const net::IoError error = server.try_read({&byte, 1}).error;
    return error == net::IoError::kEnd || error == net::IoError::kReset;
  }

  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  Random random{1};
  net::DnsResolver dns{*loop};
  std::shared_ptr<ClusterUsage> usage = std::make_shared<ClusterUsage>();
  std::vector<std::unique_ptr<PipeEnd>> servers;
  std::shared_ptr<UpstreamCluster> cluster;
  net::TaskScope scope;
};

TEST_F(LeaseTest, is_counted_at_its_endpoint_from_its_beginning_to_its_end) {
  EXPECT_FALSE(Lease());
  Lease first = lease();
  EXPECT_EQ(first.endpoint().get(), &endpoint());
  EXPECT_EQ(first.local_address(), "10.0.0.254:50000");
  {
    const Lease second = lease();
    EXPECT_EQ(endpoint().active_requests, 2u);
  }
  EXPECT_EQ(endpoint().active_requests, 1u);
  first.give_back();
  EXPECT_FALSE(first);
  first.give_back();
  EXPECT_EQ(endpoint().active_requests, 0u);
  EXPECT_EQ(endpoint().total_requests, 2u);
}

TEST_F(LeaseTest, moves_without_an_end_and_what_is_assigned_over_is_given_back) {
  Lease first = lease();
  Lease moved = std::move(first);
  EXPECT_FALSE(first);
  EXPECT_EQ(endpoint().active_requests, 1u);
  Lease second = lease();
  moved = std::move(second);
  EXPECT_TRUE(moved);
  EXPECT_EQ(endpoint().active_requests, 1u);
  EXPECT_EQ(endpoint().idle_connections(), 1u);
  Lease& same = moved;
  moved = std::move(same);
  EXPECT_TRUE(moved);
  EXPECT_EQ(endpoint().active_requests, 1u);
}

TEST_F(LeaseTest, that_was_not_used_gives_back_a_connection_that_serves_the_next) {
  lease().give_back();
  EXPECT_EQ(endpoint().idle_connections(), 1u);
  Lease next = lease();
  EXPECT_EQ(servers.size(), 1u);
  EXPECT_EQ(endpoint().idle_connections(), 0u);
  exchange(next);
  EXPECT_TRUE(next.exchange().response_complete());
}

TEST_F(LeaseTest, whose_exchange_is_over_gives_back_a_connection_that_serves_the_next) {
  for (int i = 0; i < 3; ++i) {
    Lease one = lease();
    exchange(one);
  }
  EXPECT_EQ(servers.size(), 1u);
  EXPECT_EQ(endpoint().idle_connections(), 1u);
  EXPECT_EQ(endpoint().total_requests, 3u);
}

TEST_F(LeaseTest, whose_exchange_is_not_over_cuts_its_connection) {
  Lease one = lease();
  exchange(one, false);
  one.give_back();
  EXPECT_EQ(endpoint().idle_connections(), 0u);
  EXPECT_EQ(usage->connections, 0u);
  EXPECT_TRUE(ended(*servers[0]));
}

TEST_F(LeaseTest, keeps_its_endpoint_when_the_cluster_has_it_no_more_and_ends_its_connection_then) {
  Lease one = lease();
  auto without = std::make_shared<ClusterConfig>(cluster->config());
  without->endpoints = std::make_shared<Endpoints>();
  cluster->update(testing::compiled(without));
  EXPECT_TRUE(cluster->endpoints().empty());
  const std::weak_ptr<EndpointPool> gone = one.endpoint();
  exchange(one);
  EXPECT_TRUE(one.exchange().response_complete());
  one.give_back();
  EXPECT_TRUE(gone.expired());
  EXPECT_TRUE(ended(*servers[0]));
}

}  // namespace
}  // namespace weft::proxy

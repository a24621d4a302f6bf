#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proxy/testing/plane.h"
#include "proxy/testing/simulated_plane.h"

namespace weft::proxy {
namespace {

using namespace testing;
using net::testing::PipeEnd;

/// A plane with one TCP chain, whose log is a file in memory.
class TcpService : public ::testing::Test {
 protected:
  TcpService() {
    log_.reset(::memfd_create("log", MFD_CLOEXEC));
    tcp.clusters = {to("a", 1)};
    tcp.access_logs = {{.path = "/proc/self/fd/" + std::to_string(log_.get()),
                        .format = "%RESPONSE_FLAGS% %UPSTREAM_CLUSTER% %UPSTREAM_HOST% %BYTES_RECEIVED% "
                                  "%BYTES_SENT% %DURATION% %UPSTREAM_TRANSPORT_FAILURE_REASON%\n",
                        .only_with_flags = {}}};
    plane.accept = [this](const net::Address&, std::unique_ptr<PipeEnd> server) -> Result<void> {
      servers.push_back(std::move(server));
      return {};
    };
  }
  static WeightedCluster to(std::string name, std::uint32_t weight) {
    return {.cluster = std::move(name), .weight = weight, .request_headers = {}, .response_headers = {}};
  }
  /// A client of the chain as it is now.
  std::unique_ptr<PipeEnd> client(std::vector<ClusterConfig> clusters) {
    Snapshot snapshot;
    auto listener = std::make_shared<ListenerConfig>();
    listener->name = "front";
    listener->chains.push_back({.name = "tcp", .match = {}, .transport = nullptr, .filter = tcp});
    snapshot.listeners["front"] = std::move(listener);
    for (ClusterConfig& cluster : clusters) {
      const std::string name = cluster.name;
      snapshot.clusters.put(std::make_shared<ClusterConfig>(std::move(cluster)));
    }
    EXPECT_TRUE(plane.apply(std::move(snapshot)));
    auto made = plane.connect();
    plane.loop().advance(Duration::zero());
    return made;
  }
  void write(PipeEnd& end, std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    ASSERT_EQ(end.try_write(std::span(&part, 1)).bytes, bytes.size());
    plane.loop().advance(Duration::zero());
  }
  net::IoError error(PipeEnd& end) {
    char byte;
    plane.loop().advance(Duration::zero());
    return end.try_read({&byte, 1}).error;
  }
  std::string line() {
    plane.worker().logs().flush();
    char bytes[1024];
    const ssize_t size = ::pread(log_.get(), bytes, sizeof bytes, 0);
    return {bytes, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }

  net::Fd log_;
  SimulatedPlane plane;
  TcpProxyConfig tcp;
  std::vector<std::unique_ptr<PipeEnd>> servers;
};

TEST_F(TcpService, copies_bytes_to_an_endpoint_and_back_and_logs_how_many) {
  const auto one = client({cluster_of("a", {simulated_endpoint(1)})});
  ASSERT_EQ(servers.size(), 1u);
  EXPECT_EQ(plane.stat("cluster.a.upstream_cx_active"), 1u);
  write(*one, "abc");
  EXPECT_EQ(servers[0]->take(), "abc");
  plane.loop().advance(7ms);
  write(*servers[0], "de");
  EXPECT_EQ(one->take(), "de");
  EXPECT_EQ(line(), "") << "it is not over";
  one->shutdown_write();
  EXPECT_EQ(error(*servers[0]), net::IoError::kEnd);
  servers[0]->shutdown_write();
  EXPECT_EQ(error(*one), net::IoError::kEnd);
  EXPECT_EQ(line(), "- a 10.0.0.1:80 3 2 7 -\n");
  EXPECT_EQ(plane.stat("cluster.a.upstream_cx_active"), 0u);
}

TEST_F(TcpService, counts_connections_and_bytes_by_the_chain_s_prefix) {
  tcp.stat_prefix = "bytes.of.a";
  const auto one = client({cluster_of("a", {simulated_endpoint(1)})});
  write(*one, "abc");
  servers[0]->take();
  write(*servers[0], "de");
  one->shutdown_write();
  servers[0]->shutdown_write();
  plane.loop().advance(1s);
  client({cluster_of("other", {})});
  plane.loop().advance(1s);
  const std::pair<const char*, std::uint64_t> counted[] = {{"downstream_cx_total", 2},
                                                           {"downstream_cx_no_route", 1},
                                                           {"downstream_cx_rx_bytes_total", 3},
                                                           {"downstream_cx_tx_bytes_total", 2}};
  for (const auto& [name, value] : counted)
    EXPECT_EQ(plane.stat(std::string("tcp.bytes.of.a.") + name), value) << name;
}

TEST_F(TcpService, says_which_side_broke) {
  const auto cluster = cluster_of("a", {simulated_endpoint(1)});
  client({cluster})->close(true);
  plane.loop().advance(Duration::zero());
  EXPECT_EQ(line(), "DC a 10.0.0.1:80 0 0 0 -\n");
  const auto two = client({cluster});
  servers.back()->close(true);
  EXPECT_EQ(error(*two), net::IoError::kReset);
  EXPECT_EQ(line(), "DC a 10.0.0.1:80 0 0 0 -\nUC a 10.0.0.1:80 0 0 0 -\n");
}

TEST_F(TcpService, ends_by_the_chain_s_idle_timeout) {
  tcp.idle_timeout = 30s;
  const auto one = client({cluster_of("a", {simulated_endpoint(1)})});
  plane.loop().advance(30s);
  EXPECT_EQ(error(*one), net::IoError::kEnd);
  EXPECT_EQ(line(), "- a 10.0.0.1:80 0 0 30000 -\n");
}

TEST_F(TcpService, resets_a_client_that_no_endpoint_can_serve_and_says_why) {
  ClusterConfig full = cluster_of("a", {simulated_endpoint(1)});
  full.max_connections = 0;
  const struct {
    ClusterConfig cluster;
    bool rejects;
    const char* line;
  } rows[] = {
      {cluster_of("other", {}), false, "NC a - 0 0 0 -\n"},
      {cluster_of("a", {}), false, "UH a - 0 0 0 no healthy upstream\n"},
      {full, false, "UO a - 0 0 0 too many connections\n"},
      {cluster_of("a", {simulated_endpoint(1)}), true, "UF a - 0 0 0 connection refused\n"},
  };
  std::string all;
  for (const auto& row : rows) {
    int asked = 0;
    plane.accept = [&](const net::Address&, std::unique_ptr<PipeEnd>) -> Result<void> {
      ++asked;
      return fail(Error::upstream(Code::kRefused, Retry::kElsewhere, "connection refused"));
    };
    const auto one = client({row.cluster});
    EXPECT_EQ(error(*one), net::IoError::kReset) << row.line;
    EXPECT_EQ(line(), all += row.line);
    EXPECT_EQ(asked, row.rejects ? 2 : 0) << "a connection is tried once more";
  }
}

TEST_F(TcpService, draws_a_cluster_by_weight) {
  tcp.clusters = {to("a", 1), to("none", 0), to("b", 3)};
  std::map<std::string, int> drawn;
  plane.accept = [&](const net::Address& where, std::unique_ptr<PipeEnd>) -> Result<void> {
    ++drawn[where.ip()];
    return {};
  };
  const std::vector<ClusterConfig> clusters = {cluster_of("a", {simulated_endpoint(1)}),
                                               cluster_of("none", {simulated_endpoint(2)}),
                                               cluster_of("b", {simulated_endpoint(3)})};
  for (int i = 0; i < 400; ++i) client(clusters);
  // Four standard deviations of 400 draws at a quarter.
  EXPECT_NEAR(drawn["10.0.0.1"], 100, 35);
  EXPECT_EQ(drawn["10.0.0.2"], 0);
  EXPECT_EQ(drawn["10.0.0.1"] + drawn["10.0.0.3"], 400);
}

}  // namespace
}  // namespace weft::proxy

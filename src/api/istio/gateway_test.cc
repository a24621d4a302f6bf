#include "api/istio/gateway.h"

#include <gtest/gtest.h>

#include "api/testing/spec.h"

namespace weft::api::istio {
namespace {

TEST(GatewayReading, servers_have_a_port_hosts_and_a_place) {
  const Parsed parsed =
      testing::file("networking.istio.io/v1", "Gateway", R"(  selector: {istio: ingressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ['*', ns/a.example]
  - port: {number: 9000, name: tcp, protocol: TCP}
    hosts: ['*']
)");
  const Gateway made = read_gateway(parsed.objects[0].spec());
  EXPECT_EQ(made.selector, (Labels{{"istio", "ingressgateway"}}));
  ASSERT_EQ(made.servers.size(), 2u);
  EXPECT_EQ(made.servers[0].port, 80);
  EXPECT_FALSE(made.servers[0].is_tcp());
  EXPECT_EQ(made.servers[0].hosts, (std::vector<std::string>{"*", "ns/a.example"}));
  EXPECT_TRUE(made.servers[1].is_tcp());
  EXPECT_EQ(parsed.origins[0].place(made.servers[1].where.to_string()), "f.yaml:9");
}

TEST(GatewayReading, protocols_are_words_and_ports_are_numbers) {
  using enum Server::Protocol;
  const struct {
    const char* port;
    int number;
    Server::Protocol protocol;
  } rows[] = {{"{number: 80, protocol: HTTP}", 80, kHttp},
              {"{number: 80, protocol: HTTP2}", 80, kHttp2},
              {"{number: 80, protocol: GRPC}", 80, kGrpc},
              {"{number: 80, protocol: GRPC-WEB}", 80, kGrpcWeb},
              {"{number: 443, protocol: HTTPS}", 443, kOther},
              {"{number: 80, protocol: http}", 80, kOther},
              {"{number: 70000, protocol: TCP}", 0, kTcp},
              {"{number: '80'}", 0, kOther},
              {"5", 0, kOther}};
  for (const auto& row : rows) {
    const Gateway made = read_gateway(testing::spec("servers: [{port: " + std::string(row.port) + "}]"));
    ASSERT_EQ(made.servers.size(), 1u) << row.port;
    EXPECT_EQ(made.servers[0].port, row.number) << row.port;
    EXPECT_EQ(made.servers[0].protocol, row.protocol) << row.port;
  }
  EXPECT_EQ(read_gateway(testing::spec("servers: [5, {}]")).servers.at(1).where.to_string(),
            "spec.servers[1]");
  EXPECT_TRUE(read_gateway(testing::spec("servers: {}")).servers.empty());
}

}  // namespace
}  // namespace weft::api::istio

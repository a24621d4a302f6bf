#include "local/name_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "local/testing/tables.h"

namespace weft::local {
namespace {

using testing::table_of;

constexpr std::uint16_t kA = 1, kAaaa = 28, kSrv = 33;

ServiceTable two_services() { return table_of(testing::kWebAndDatabase); }

std::string wire(std::string_view name) {
  std::string made;
  while (!name.empty()) {
    const auto dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    made += static_cast<char>(label.size());
    made += label;
    name = dot == name.npos ? "" : name.substr(dot + 1);
  }
  return made + '\0';
}

std::string question(std::string_view name, std::uint16_t type) {
  return std::string("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12) + wire(name) +
         std::string{'\0', static_cast<char>(type), '\0', '\1'};
}

struct Said {
  unsigned code = 0, count = 0;
  std::string records;
};
Said ask(std::string_view name, std::uint16_t type, const ServiceTable& table, std::size_t turn = 0) {
  const std::string asked = question(name, type), response = dns_response(asked, table, turn);
  EXPECT_EQ(response.substr(0, 2), "\x12\x34");
  EXPECT_EQ(static_cast<unsigned char>(response[2]), 0x85);
  EXPECT_EQ(response.substr(12, asked.size() - 12), asked.substr(12));
  return {static_cast<unsigned char>(response[3]), static_cast<unsigned char>(response[7]),
          response.substr(asked.size())};
}

std::string address_record(std::string_view bytes) {
  return std::string("\xc0\x0c\0\1\0\1\0\0\0\5\0\4", 12) + std::string(bytes);
}

TEST(NameServer, GivesAServicesAddressInWhateverCaseItIsAskedFor) {
  const Said said = ask("WEB.shop.svc.Cluster.local", kA, two_services());
  EXPECT_EQ(said.code, 0u);
  EXPECT_EQ(said.records, address_record(std::string_view("\x0a\x60\x00\x09", 4)));
}

TEST(NameServer, GivesAHeadlessServicesReadyEndpointsInTurnAndEachByItsOwnName) {
  const ServiceTable table = two_services();
  const std::string five = address_record(std::string_view("\x0a\xf4\x00\x05", 4)),
                    seven = address_record(std::string_view("\x0a\xf4\x00\x07", 4));
  EXPECT_EQ(ask("db.shop.svc.cluster.local", kA, table).records, five + seven);
  EXPECT_EQ(ask("db.shop.svc.cluster.local", kA, table, 1).records, seven + five);
  EXPECT_EQ(ask("10-244-0-7.db.shop.svc.cluster.local", kA, table).records, seven);
  EXPECT_EQ(ask("10-244-0-8.db.shop.svc.cluster.local", kA, table).code, 3u);
}

TEST(NameServer, GivesThePortsOfAServiceAsServers) {
  const ServiceTable table = two_services();
  const Said web = ask("_http._tcp.web.shop.svc.cluster.local", kSrv, table);
  ASSERT_EQ(web.count, 1u);
  EXPECT_NE(web.records.find(std::string("\0\0\0\1\0\x50", 6) + wire("web.shop.svc.cluster.local")),
            std::string::npos);
  const Said db = ask("_sql._tcp.db.shop.svc.cluster.local", kSrv, table);
  ASSERT_EQ(db.count, 2u);
  EXPECT_NE(
      db.records.find(std::string("\0\0\0\1\x0c\xeb", 6) + wire("10-244-0-5.db.shop.svc.cluster.local")),
      std::string::npos)
      << "the pod's own port, 3307: nothing translates it";
  EXPECT_EQ(ask("_none._tcp.db.shop.svc.cluster.local", kSrv, table).code, 3u);
}

TEST(NameServer, KnowsThatANameIsThereWithoutSuchARecordAndThatOthersAreNot) {
  const ServiceTable table = two_services();
  EXPECT_EQ(ask("web.shop.svc.cluster.local", kAaaa, table).code, 0u);
  EXPECT_EQ(ask("web.shop.svc.cluster.local", kAaaa, table).count, 0u);
  for (const char* name : {"web.other.svc.cluster.local", "none.shop.svc.cluster.local", "web", "example.org",
                           "", "a.b.c.web.shop.svc.cluster.local", "svc.cluster.local"})
    EXPECT_EQ(ask(name, kA, table).code, 3u) << name;
}

TEST(NameServer, LeavesOutWhatDoesNotFitIntoOneMessage) {
  std::string endpoints;
  for (int i = 1; i < 100; ++i) endpoints += "{addresses: [10.244.1." + std::to_string(i) + "]}, ";
  const ServiceTable table = table_of(R"(
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: None, ports: [{name: sql, port: 3306}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{name: sql, port: 3306}]
endpoints: [)" + endpoints + "]\n");
  const Said said = ask("db.shop.svc.cluster.local", kA, table);
  EXPECT_GT(said.count, 20u);
  EXPECT_EQ(said.records.size(), said.count * 16u);
  EXPECT_LE(said.records.size() + question("db.shop.svc.cluster.local", kA).size(), 512u);
}

TEST(NameServer, RespondsOnlyToQuestions) {
  const ServiceTable table = two_services();
  const std::string whole = question("web.shop.svc.cluster.local", kA);
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_EQ(dns_response(whole.substr(0, length), table), "") << length;
  std::string response = whole;
  response[2] = '\x81';
  EXPECT_EQ(dns_response(response, table), "");
  std::string pointer = whole;
  pointer[12] = '\xc0';
  EXPECT_EQ(dns_response(pointer, table), "");
  std::string many = whole;
  many[5] = 2;
  EXPECT_EQ(dns_response(many, table), "");
}

TEST(NameServer, RespondsOverUdp) {
  net::Loop loop;
  const ServiceTable table = two_services();
  NameServer server(loop, table);
  ASSERT_TRUE(server.start(*net::Address::parse_ip("127.0.0.1", 0)));
  const net::Fd client(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const net::Address at = server.address();
  ASSERT_EQ(::connect(client.get(), at.data(), at.size()), 0);
  const std::string asked = question("web.shop.svc.cluster.local", kA);
  ASSERT_EQ(::send(client.get(), asked.data(), asked.size(), 0), static_cast<ssize_t>(asked.size()));
  char block[512];
  ssize_t got = -1;
  const TimePoint limit = SteadyClock::now() + 20s;
  while (got < 0 && SteadyClock::now() < limit) {
    loop.run_once(10ms);
    got = ::recv(client.get(), block, sizeof block, 0);
  }
  ASSERT_GT(got, 0);
  EXPECT_EQ(std::string(block, static_cast<std::size_t>(got)), dns_response(asked, table));
}

}  // namespace
}  // namespace weft::local

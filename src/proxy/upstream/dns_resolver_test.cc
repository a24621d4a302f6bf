#include "net/dns_resolver.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "net/socket.h"
#include "proxy/testing/plane.h"
#include "proxy/upstream/upstream_cluster.h"

namespace weft::proxy {
namespace {

/// A name server on loopback: gives every name in "known." one address, says of others that they do not
/// exist, and answers nothing once it is silent.
class NameServer final : private net::ReadyHandler {
 public:
  explicit NameServer(net::Loop& loop)
      : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    const net::Address any = *net::Address::parse_ip("127.0.0.1", 0);
    EXPECT_EQ(::bind(fd_.get(), any.data(), any.size()), 0);
    EXPECT_TRUE(watch_.start(loop, fd_.get(), *this));
  }
  std::string address() const {
    sockaddr_in bound{};
    socklen_t length = sizeof bound;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &length);
    return "127.0.0.1:" + std::to_string(ntohs(bound.sin_port));
  }
  bool silent = false;
  bool forgotten = false;  ///< it knows no name any more
  int asked = 0;
  char last_byte = 3;  ///< of the address that is given
  std::function<void()> on_question;

 private:
  void on_ready(Ready) override {
    char question[512];
    sockaddr_in from{};
    socklen_t length = sizeof from;
    ssize_t got = 0;
    while ((got = ::recvfrom(fd_.get(), question, sizeof question, 0, reinterpret_cast<sockaddr*>(&from),
                             &length)) > 12) {
      ++asked;
      if (on_question) on_question();
      if (silent) continue;
      const std::string answer = answer_to(std::string(question, static_cast<std::size_t>(got)));
      ::sendto(fd_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
    }
  }

  /// RFC 1035 §4.1: the header with QR set, the question, and for type A one record that points to its name.
  std::string answer_to(std::string message) const {
    const bool known = !forgotten && message.find("\5known") != message.npos;
    const std::size_t end = message.find('\0', 12) + 5;
    const bool is_a = message[end - 3] == 1;
    message.resize(end);
    message[2] = static_cast<char>(0x81);
    message[3] = static_cast<char>(known ? 0x80 : 0x83);
    message[7] = static_cast<char>(known && is_a ? 1 : 0);
    message[11] = 0;
    if (known && is_a) message += std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\1\2", 15) + last_byte;
    return message;
  }

  net::Fd fd_;
  net::FdWatch watch_;
};

TEST(DnsResolver, gives_no_result_once_it_is_destroyed_also_when_that_was_on_its_way) {
  net::Loop loop;
  auto resolver = std::make_unique<net::DnsResolver>(loop, "127.0.0.1:9");
  bool told = false;
  // An address needs no server: its result is ready when resolve() returns.
  resolver->resolve("10.1.2.3", 80, [&](Result<net::DnsResolver::Addresses>) { told = true; });
  resolver.reset();
  bool later = false;
  loop.defer([&] { later = true; });
  while (!later) loop.run_once(1s);
  EXPECT_FALSE(told);
}

TEST(DnsResolver, gives_the_addresses_of_a_name_with_the_port_asked_for) {
  net::Loop loop;
  NameServer server(loop);
  net::DnsResolver resolver(loop, server.address());
  std::vector<std::string> seen;
  resolver.resolve("one.known", 8080, [&](Result<net::DnsResolver::Addresses> found) {
    ASSERT_TRUE(found) << found.error().text;
    EXPECT_EQ(found->ttl, 60s);
    for (const net::Address& address : found->list) seen.push_back(address.to_string());
    loop.stop();
  });
  EXPECT_TRUE(seen.empty());
  loop.run();
  EXPECT_EQ(seen, std::vector<std::string>{"10.1.2.3:8080"});
}

TEST(DnsResolver, says_which_name_does_not_exist) {
  net::Loop loop;
  NameServer server(loop);
  net::DnsResolver resolver(loop, server.address());
  std::string error;
  resolver.resolve("nobody.example", 80, [&](Result<net::DnsResolver::Addresses> found) {
    if (!found) error = found.error().text;
    loop.stop();
  });
  loop.run();
  EXPECT_NE(error.find("cannot resolve 'nobody.example'"), error.npos) << error;
}

TEST(DnsResolver, reads_the_hosts_file_without_asking_anybody) {
  net::Loop loop;
  NameServer server(loop);
  net::DnsResolver resolver(loop, server.address());
  bool loopback = false;
  resolver.resolve("localhost", 80, [&](Result<net::DnsResolver::Addresses> found) {
    loopback = found && !found->list.empty() && found->list.front().is_loopback();
    loop.stop();
  });
  loop.run();
  EXPECT_TRUE(loopback);
  EXPECT_EQ(server.asked, 0);
}

TEST(DnsResolver, ends_without_waiting_for_a_server_that_is_silent) {
  net::Loop loop;
  NameServer server(loop);
  server.silent = true;
  server.on_question = [&] { loop.stop(); };
  bool answered = false;
  {
    net::DnsResolver resolver(loop, server.address());
    resolver.resolve("one.known", 80, [&](auto) { answered = true; });
    loop.run();
  }
  EXPECT_GE(server.asked, 1);
  EXPECT_FALSE(answered);
}

bool leads_to(net::Loop& loop, const UpstreamCluster& cluster, const std::string& endpoint) {
  for (const TimePoint end = loop.now() + 20s; loop.now() < end; loop.run_once(10ms))
    if (cluster.endpoints().size() == 1 && cluster.endpoints().contains(endpoint)) return true;
  return false;
}

TEST(DnsResolver, a_name_of_a_cluster_is_followed_while_another_does_not_resolve) {
  net::Loop loop;
  NameServer server(loop);
  net::DnsResolver resolver(loop, server.address());
  Random random;
  auto config = std::make_shared<ClusterConfig>();
  config->name = "named";
  config->discovery = ClusterConfig::Discovery::kStrictDns;
  config->dns_refresh = Milliseconds{20};
  config->dns_hosts = {{"nobody.example", 80}, {"one.known", 80}, {"nobody.either", 80}};
  const auto cluster = std::make_shared<UpstreamCluster>(loop, random, resolver, kernel_connector(0),
                                                         testing::compiled(config));
  EXPECT_TRUE(leads_to(loop, *cluster, "10.1.2.3:80"));
  server.last_byte = 4;
  EXPECT_TRUE(leads_to(loop, *cluster, "10.1.2.4:80"));
}

/// A cluster of these names, by a server that is asked again after a second at the earliest.
struct Named {
  explicit Named(std::vector<ClusterConfig::DnsHost> hosts) : resolver(loop, server.address()) {
    config = with(std::move(hosts));
    cluster = std::make_shared<UpstreamCluster>(loop, random, resolver, kernel_connector(0),
                                                testing::compiled(config));
  }
  std::shared_ptr<ClusterConfig> with(std::vector<ClusterConfig::DnsHost> hosts) const {
    auto made = std::make_shared<ClusterConfig>();
    made->name = "named";
    made->discovery = ClusterConfig::Discovery::kStrictDns;
    made->dns_refresh = Milliseconds{20};
    made->dns_hosts = std::move(hosts);
    return made;
  }
  net::Loop loop;
  NameServer server{loop};
  net::DnsResolver resolver;
  Random random;
  std::shared_ptr<ClusterConfig> config;
  std::shared_ptr<UpstreamCluster> cluster;
};

TEST(UpstreamCluster, keeps_its_endpoints_until_the_names_of_a_new_configuration_have_answered) {
  Named named({{"one.known", 80}});
  EXPECT_TRUE(leads_to(named.loop, *named.cluster, "10.1.2.3:80"));
  named.server.silent = true;
  const auto next = named.with({{"two.known", 81}});
  ASSERT_TRUE(named.cluster->can_become(*next));
  const int before = named.server.asked;
  named.cluster->update(testing::compiled(next));
  for (const TimePoint end = named.loop.now() + 20s; named.server.asked == before && named.loop.now() < end;)
    named.loop.run_once(10ms);
  EXPECT_TRUE(named.cluster->endpoints().contains("10.1.2.3:80")) << "no answer has come yet";
  named.server.silent = false;
  EXPECT_TRUE(leads_to(named.loop, *named.cluster, "10.1.2.3:81"));
}

TEST(UpstreamCluster, goes_on_with_no_endpoint_of_old_names_when_no_new_one_is_known) {
  Named named({{"one.known", 80}});
  EXPECT_TRUE(leads_to(named.loop, *named.cluster, "10.1.2.3:80"));
  named.cluster->update(testing::compiled(named.with({{"nobody.example", 80}})));
  for (const TimePoint end = named.loop.now() + 20s;
       !named.cluster->endpoints().empty() && named.loop.now() < end;)
    named.loop.run_once(10ms);
  EXPECT_TRUE(named.cluster->endpoints().empty());
}

TEST(UpstreamCluster, a_name_that_is_no_more_has_no_endpoint_and_one_whose_server_is_silent_keeps_its) {
  Named named({{"one.known", 80}});
  EXPECT_TRUE(leads_to(named.loop, *named.cluster, "10.1.2.3:80"));
  named.server.forgotten = true;
  EXPECT_TRUE(testing::run_until(named.loop, [&] { return named.cluster->endpoints().empty(); }));
  named.server.forgotten = false;
  EXPECT_TRUE(leads_to(named.loop, *named.cluster, "10.1.2.3:80"));
  named.server.silent = true;
  const int before = named.server.asked;
  EXPECT_TRUE(testing::run_until(named.loop, [&] { return named.server.asked > before + 2; }));
  EXPECT_TRUE(named.cluster->endpoints().contains("10.1.2.3:80"));
}

TEST(UpstreamCluster, the_addresses_of_a_name_have_what_is_said_of_it) {
  Named named({{.name = "one.known", .port = 80, .weight = 9, .priority = 1},
               {.name = "two.known", .port = 81, .weight = 2, .priority = 0, .health = Health::kDraining}});
  ASSERT_TRUE(testing::run_until(named.loop, [&] { return named.cluster->endpoints().size() == 2; }));
  const auto& endpoints = named.cluster->endpoints();
  EXPECT_EQ(endpoints.at("10.1.2.3:80")->weight(), 9u);
  EXPECT_EQ(endpoints.at("10.1.2.3:80")->priority(), 1u);
  EXPECT_EQ(endpoints.at("10.1.2.3:81")->weight(), 2u);
  EXPECT_EQ(endpoints.at("10.1.2.3:81")->config().health, Health::kDraining);
}

TEST(UpstreamCluster, what_is_said_anew_of_a_name_holds_at_once_though_its_server_is_silent) {
  Named named({{"one.known", 80}});
  EXPECT_TRUE(leads_to(named.loop, *named.cluster, "10.1.2.3:80"));
  named.server.silent = true;
  named.cluster->update(testing::compiled(
      named.with({{.name = "one.known", .port = 80, .weight = 7}, {.name = "two.known", .port = 81}})));
  ASSERT_TRUE(named.cluster->endpoints().contains("10.1.2.3:80"));
  EXPECT_EQ(named.cluster->endpoints().at("10.1.2.3:80")->weight(), 7u);
}

TEST(UpstreamCluster, one_that_takes_another_s_place_begins_with_its_endpoints) {
  Named named({{"one.known", 80}});
  EXPECT_TRUE(leads_to(named.loop, *named.cluster, "10.1.2.3:80"));
  named.server.silent = true;
  auto config = named.with({{"two.known", 81}});
  config->discovery = ClusterConfig::Discovery::kLogicalDns;
  ASSERT_FALSE(named.cluster->can_become(*config));
  const auto next = std::make_shared<UpstreamCluster>(named.loop, named.random, named.resolver,
                                                      kernel_connector(0), testing::compiled(config));
  next->begin_with_endpoints_of(*named.cluster);
  EXPECT_TRUE(next->endpoints().contains("10.1.2.3:80"));
  named.server.silent = false;
  EXPECT_TRUE(leads_to(named.loop, *next, "10.1.2.3:81"));
}

TEST(UpstreamCluster, takes_only_addresses_of_the_family_that_is_asked_for) {
  using Family = ClusterConfig::DnsFamily;
  for (const auto& [family, there] : {std::pair{Family::kV4Only, true},
                                      {Family::kV4Preferred, true},
                                      {Family::kAny, true},
                                      {Family::kV6Only, false}}) {
    Named named({{"one.known", 80}});
    auto config = named.with({{"two.known", 80}});
    config->dns_family = family;
    named.cluster->update(testing::compiled(config));
    if (there) {
      EXPECT_TRUE(leads_to(named.loop, *named.cluster, "10.1.2.3:80"));
      continue;
    }
    const int before = named.server.asked;
    for (const TimePoint end = named.loop.now() + 20s;
         named.server.asked < before + 6 && named.loop.now() < end;)
      named.loop.run_once(10ms);
    EXPECT_TRUE(named.cluster->endpoints().empty());
  }
}

TEST(UpstreamCluster, asks_again_as_soon_as_a_shorter_interval_says) {
  Named named({{"one.known", 80}});
  auto config = named.with({{"two.known", 81}});
  config->dns_refresh = Milliseconds{3'600'000};
  named.cluster->update(testing::compiled(config));
  EXPECT_TRUE(leads_to(named.loop, *named.cluster, "10.1.2.3:81"));
  named.server.last_byte = 4;
  named.cluster->update(testing::compiled(named.with({{"two.known", 81}})));
  EXPECT_TRUE(leads_to(named.loop, *named.cluster, "10.1.2.4:81"));
}

TEST(UpstreamCluster, does_not_ask_for_a_name_again_before_its_answer_ends_where_that_decides) {
  for (const bool ttl_decides : {false, true}) {
    Named named({{"one.known", 80}});
    auto config = named.with({{"two.known", 80}});
    config->dns_ttl_decides = ttl_decides;
    named.cluster->update(testing::compiled(config));
    EXPECT_TRUE(leads_to(named.loop, *named.cluster, "10.1.2.3:80"));
    const int before = named.server.asked;
    if (!ttl_decides) {
      EXPECT_TRUE(testing::run_until(named.loop, [&] { return named.server.asked > before; }));
      continue;
    }
    for (const Milliseconds refresh : {config->dns_refresh, Milliseconds{15}}) {
      auto changed = named.with({{"two.known", 80}});
      changed->dns_ttl_decides = true;
      changed->dns_refresh = refresh;
      named.cluster->update(testing::compiled(changed));
      for (const TimePoint end = named.loop.now() + 200ms; named.loop.now() < end;) named.loop.run_once(10ms);
      EXPECT_EQ(named.server.asked, before) << refresh.count();
    }
  }
}

}  // namespace
}  // namespace weft::proxy

#include "proxy/upstream/dns_resolver.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "net/socket.h"
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
    const bool known = message.find("\5known") != message.npos;
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

TEST(DnsResolver, gives_the_addresses_of_a_name_with_the_port_asked_for) {
  net::Loop loop;
  NameServer server(loop);
  DnsResolver resolver(loop, server.address());
  std::vector<std::string> seen;
  resolver.resolve("one.known", 8080, [&](Result<std::vector<net::Address>> found) {
    ASSERT_TRUE(found) << found.error().text;
    for (const net::Address& address : *found) seen.push_back(address.to_string());
    loop.stop();
  });
  EXPECT_TRUE(seen.empty());
  loop.run();
  EXPECT_EQ(seen, std::vector<std::string>{"10.1.2.3:8080"});
}

TEST(DnsResolver, says_which_name_does_not_exist) {
  net::Loop loop;
  NameServer server(loop);
  DnsResolver resolver(loop, server.address());
  std::string error;
  resolver.resolve("nobody.example", 80, [&](Result<std::vector<net::Address>> found) {
    if (!found) error = found.error().text;
    loop.stop();
  });
  loop.run();
  EXPECT_NE(error.find("cannot resolve 'nobody.example'"), error.npos) << error;
}

TEST(DnsResolver, reads_the_hosts_file_without_asking_anybody) {
  net::Loop loop;
  NameServer server(loop);
  DnsResolver resolver(loop, server.address());
  bool loopback = false;
  resolver.resolve("localhost", 80, [&](Result<std::vector<net::Address>> found) {
    loopback = found && !found->empty() && found->front().is_loopback();
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
    DnsResolver resolver(loop, server.address());
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
  DnsResolver resolver(loop, server.address());
  Random random;
  auto config = std::make_shared<ClusterConfig>();
  config->name = "named";
  config->discovery = ClusterConfig::Discovery::kStrictDns;
  config->dns_refresh = Milliseconds{20};
  config->dns_hosts = {{"nobody.example", 80}, {"one.known", 80}, {"nobody.either", 80}};
  const auto cluster =
      std::make_shared<UpstreamCluster>(loop, random, resolver, 0, config, std::make_shared<ClusterUsage>());
  EXPECT_TRUE(leads_to(loop, *cluster, "10.1.2.3:80"));
  server.last_byte = 4;
  EXPECT_TRUE(leads_to(loop, *cluster, "10.1.2.4:80"));
}

}  // namespace
}  // namespace weft::proxy

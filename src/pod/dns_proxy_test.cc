#include "pod/dns_proxy.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "pod/testing/application.h"
#include "pod/testing/name_server.h"

namespace weft::pod {
namespace {

using testing::dns_question;
using testing::NameServer;
using testing::wait_until;

net::Address loopback(std::uint16_t port) { return *net::Address::parse_ip("127.0.0.1", port); }

/// Who asks by UDP.
class Client {
 public:
  Client() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}
  void ask(const net::Address& server, const std::string& question) const {
    EXPECT_GT(::sendto(fd_.get(), question.data(), question.size(), 0, server.data(), server.size()), 0);
  }
  /// What has come; empty: nothing.
  std::string take() const {
    std::string block(65536, '\0');
    const ssize_t got = ::recv(fd_.get(), block.data(), block.size(), 0);
    return got < 0 ? std::string() : block.substr(0, static_cast<std::size_t>(got));
  }
  std::string await(net::Loop& loop) const {
    std::string got;
    wait_until(loop, [&] { return !(got = take()).empty(); });
    return got;
  }

 private:
  net::Fd fd_;
};

net::Task<std::string> ask_by_tcp(net::Loop& loop, net::Address server, std::string bytes) {
  auto socket = co_await net::connect(loop, server, {});
  if (!socket) co_return std::string("no connection");
  co_await (*socket)->write(bytes);
  std::string got, block(65536, '\0');
  (*socket)->set_read_deadline(loop.now() + 5s);
  for (;;) {
    const net::IoResult part = co_await (*socket)->read(block);
    if (!part.ok()) co_return got;
    got.append(block, 0, part.bytes);
    if (got.size() >= 2 && got.size() >= 2u + static_cast<unsigned char>(got[1])) co_return got;
  }
}

std::string framed(const std::string& message) {
  return std::string(1, '\0') + static_cast<char>(message.size()) + message;
}

int code_of(const std::string& response) { return response.size() < 12 ? -1 : response[3] & 0xf; }

class DnsProxyTest : public ::testing::Test {
 protected:
  void open(std::vector<net::Address> servers) {
    options.at = loopback(0);
    options.servers = std::move(servers);
    auto opened = DnsProxy::open(loop, options);
    ASSERT_TRUE(opened) << opened.error().text;
    proxy = std::move(*opened);
  }

  net::Loop loop;
  NameServer first{loop}, second{loop};
  DnsProxy::Options options;
  std::unique_ptr<DnsProxy> proxy;
  Client client;
};

TEST_F(DnsProxyTest, hands_on_question_and_response) {
  open({first.address()});
  client.ask(proxy->udp_address(), dns_question("reviews", 7));
  EXPECT_EQ(client.await(loop), NameServer::response_to(dns_question("reviews", 7)));
  EXPECT_EQ(first.asked, std::vector{dns_question("reviews", 7)});
}

TEST_F(DnsProxyTest, gives_each_client_its_own_response) {
  open({first.address()});
  Client other;
  client.ask(proxy->udp_address(), dns_question("reviews", 7));
  other.ask(proxy->udp_address(), dns_question("ratings", 7));
  EXPECT_EQ(client.await(loop), NameServer::response_to(dns_question("reviews", 7)));
  EXPECT_EQ(other.await(loop), NameServer::response_to(dns_question("ratings", 7)));
}

TEST_F(DnsProxyTest, asks_the_next_server_when_one_is_silent_or_away) {
  first.silent = true;
  options.timeout = 30ms;
  auto gone = std::make_unique<NameServer>(loop);
  const net::Address unused = gone->address();
  gone.reset();
  open({first.address(), unused, second.address()});
  client.ask(proxy->udp_address(), dns_question("reviews", 7));
  EXPECT_EQ(client.await(loop), NameServer::response_to(dns_question("reviews", 7)));
  EXPECT_EQ(first.asked.size(), 1u);
}

TEST_F(DnsProxyTest, asks_a_server_that_lost_a_question_again) {
  first.loses = 1;
  options.timeout = 30ms;
  open({first.address()});
  client.ask(proxy->udp_address(), dns_question("reviews", 7));
  EXPECT_EQ(client.await(loop), NameServer::response_to(dns_question("reviews", 7)));
}

TEST_F(DnsProxyTest, says_so_when_no_server_responds) {
  first.silent = true;
  options.timeout = 20ms;
  open({first.address()});
  client.ask(proxy->udp_address(), dns_question("reviews", 7));
  const std::string response = client.await(loop);
  EXPECT_EQ(code_of(response), 2);
  EXPECT_EQ(response.substr(0, 2), dns_question("reviews", 7).substr(0, 2));
}

TEST_F(DnsProxyTest, a_pod_without_servers_is_told_at_once) {
  open({});
  client.ask(proxy->udp_address(), dns_question("reviews", 7));
  EXPECT_EQ(code_of(client.await(loop)), 2);
}

TEST_F(DnsProxyTest, passes_over_a_response_to_another_question) {
  first.before_response = {NameServer::response_to(dns_question("reviews", 8)),
                           NameServer::response_to(dns_question("ratings", 7)), "x", ""};
  open({first.address()});
  client.ask(proxy->udp_address(), dns_question("reviews", 7));
  EXPECT_EQ(client.await(loop), NameServer::response_to(dns_question("reviews", 7)));
}

TEST_F(DnsProxyTest, bytes_that_are_not_a_question_reach_no_server) {
  open({first.address()});
  client.ask(proxy->udp_address(), "x");
  client.ask(proxy->udp_address(), NameServer::response_to(dns_question("reviews", 7)));
  client.ask(proxy->udp_address(), dns_question("reviews", 7));
  EXPECT_EQ(client.await(loop), NameServer::response_to(dns_question("reviews", 7)));
  EXPECT_EQ(first.asked.size(), 1u);
  EXPECT_EQ(client.take(), "");
}

TEST_F(DnsProxyTest, takes_so_many_questions_and_no_more) {
  first.silent = true;
  options.max_questions = 2;
  open({first.address()});
  for (unsigned char id = 1; id <= 3; ++id) client.ask(proxy->udp_address(), dns_question("reviews", id));
  const std::string response = client.await(loop);
  EXPECT_EQ(code_of(response), 2);
  EXPECT_EQ(response[0], 3);
  ASSERT_TRUE(wait_until(loop, [this] { return first.asked.size() == 2; }));
}

TEST_F(DnsProxyTest, a_burst_larger_than_one_turn_is_resolved) {
  open({first.address()});
  constexpr int kBurst = 150;
  for (int id = 0; id < kBurst; ++id)
    client.ask(proxy->udp_address(), dns_question("reviews", static_cast<unsigned char>(id)));
  int resolved = 0;
  EXPECT_TRUE(wait_until(loop, [&] {
    for (std::string got = client.take(); !got.empty(); got = client.take()) ++resolved;
    return resolved == kBurst;
  })) << resolved;
}

TEST_F(DnsProxyTest, hands_on_questions_by_tcp) {
  open({first.address()});
  const std::string asked = framed(dns_question("reviews", 7));
  EXPECT_EQ(testing::run(loop, ask_by_tcp(loop, proxy->tcp_address(), asked)),
            framed(NameServer::response_to(dns_question("reviews", 7))));
}

TEST_F(DnsProxyTest, asks_the_next_server_by_tcp_too) {
  first.silent = true;
  options.timeout = 30ms;
  open({first.address(), second.address()});
  const std::string asked = framed(dns_question("reviews", 7));
  EXPECT_EQ(testing::run(loop, ask_by_tcp(loop, proxy->tcp_address(), asked)),
            framed(NameServer::response_to(dns_question("reviews", 7))));
  second.silent = true;
  EXPECT_EQ(code_of(testing::run(loop, ask_by_tcp(loop, proxy->tcp_address(), asked)).substr(2)), 2);
}

TEST_F(DnsProxyTest, a_tcp_client_that_says_nothing_or_nonsense_is_let_go) {
  options.idle = 30ms;
  open({first.address()});
  EXPECT_EQ(testing::run(loop, ask_by_tcp(loop, proxy->tcp_address(), "\0")), "");
  EXPECT_EQ(testing::run(loop, ask_by_tcp(loop, proxy->tcp_address(), framed("nonsense"))), "");
  EXPECT_TRUE(first.asked.empty());
}

TEST_F(DnsProxyTest, a_port_that_is_taken_is_named) {
  open({});
  options.at = proxy->udp_address();
  const auto second_one = DnsProxy::open(loop, options);
  ASSERT_FALSE(second_one);
  EXPECT_EQ(second_one.error().code, Code::kConflict);
  EXPECT_NE(second_one.error().text.find(options.at.to_string()), std::string::npos)
      << second_one.error().text;
}

}  // namespace
}  // namespace weft::pod

#include "pod/name_servers.h"

#include <gtest/gtest.h>
#include <net/if.h>

#include <cstring>

namespace weft::pod {
namespace {

unsigned scope_of(const net::Address& address) {
  sockaddr_in6 six{};
  std::memcpy(&six, address.data(), sizeof six);
  return six.sin6_scope_id;
}

TEST(Pod, a_link_local_name_server_keeps_its_interface) {
  const auto servers = name_servers(
      "nameserver 10.96.0.10\nnameserver fe80::1%lo\nnameserver fe80::2%7\nnameserver fe80::3%no-such\n"
      "nameserver fd00::a\n");
  ASSERT_EQ(servers.size(), 4u);
  EXPECT_EQ(servers[0].to_string(), "10.96.0.10:53");
  EXPECT_EQ(servers[1].ip().substr(0, 7), "fe80::1");
  EXPECT_EQ(scope_of(servers[1]), ::if_nametoindex("lo"));
  EXPECT_NE(scope_of(servers[1]), 0u);
  EXPECT_EQ(scope_of(servers[2]), 7u);
  EXPECT_EQ(servers[3].to_string(), "[fd00::a]:53");
}

}  // namespace
}  // namespace weft::pod

#include "proxy/endpoint_address.h"

#include <gtest/gtest.h>

namespace weft::proxy {
namespace {

TEST(EndpointAddress, is_the_address_that_it_was_made_of) {
  for (const net::Address& address :
       {net::Address(), *net::Address::parse_ip("10.0.0.1", 80), *net::Address::parse_ip("::1", 80),
        *net::Address::parse_ip("::ffff:10.0.0.1", 80), *net::Address::unix_path("/run/a.sock")}) {
    const EndpointAddress one = address;
    EXPECT_EQ(net::Address(one), address) << address.to_string();
    EXPECT_EQ(one.to_string(), address.to_string());
    EXPECT_EQ(one, EndpointAddress(address));
  }
  EXPECT_NE(EndpointAddress(*net::Address::parse_ip("10.0.0.1", 80)),
            EndpointAddress(*net::Address::parse_ip("10.0.0.1", 81)));
}

}  // namespace
}  // namespace weft::proxy

#include "http/grpc/outgoing.h"

#include <gtest/gtest.h>

namespace weft::http::grpc {
namespace {

std::string taken(Outgoing& bytes, std::size_t at_once) {
  std::string all, part(at_once, '\0');
  while (const std::size_t size = bytes.take(part.data(), at_once)) all.append(part, 0, size);
  return all;
}

TEST(Outgoing, gives_its_own_and_shared_bytes_in_order_however_many_at_once) {
  for (std::size_t at_once = 1; at_once < 20; ++at_once) {
    Outgoing bytes;
    bytes.append("one ");
    bytes.append("two ");
    bytes.append(std::make_shared<const std::string>("shared "));
    bytes.append(std::make_shared<const std::string>());
    bytes.append(std::shared_ptr<const std::string>());
    bytes.append("");
    bytes.append("three");
    EXPECT_EQ(bytes.size(), 20u);
    EXPECT_EQ(taken(bytes, at_once), "one two shared three") << at_once;
    EXPECT_EQ(bytes.size(), 0u);
  }
}

TEST(Outgoing, takes_more_behind_what_has_gone_in_part_and_lets_go_of_shared_bytes_that_are_gone) {
  Outgoing bytes;
  auto shared = std::make_shared<const std::string>("abcd");
  const std::weak_ptr<const std::string> held = shared;
  bytes.append(std::move(shared));
  char three[3];
  EXPECT_EQ(bytes.take(three, 3), 3u);
  bytes.append("efg");
  EXPECT_FALSE(held.expired());
  EXPECT_EQ(taken(bytes, 100), "defg");
  EXPECT_TRUE(held.expired());
}

}  // namespace
}  // namespace weft::http::grpc

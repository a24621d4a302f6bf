#include "http/grpc/outgoing.h"

#include <gtest/gtest.h>

namespace weft::http::grpc {
namespace {

std::string taken(Outgoing& bytes, std::size_t at_once) {
  std::string all;
  while (bytes.size() > 0) {
    const std::string_view part = bytes.front(at_once);
    all += part;
    bytes.pop(part.size());
  }
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
  EXPECT_EQ(bytes.front(3), "abc");
  bytes.pop(3);
  bytes.append("efg");
  EXPECT_FALSE(held.expired());
  EXPECT_EQ(taken(bytes, 100), "defg");
  EXPECT_TRUE(held.expired());
}

TEST(Outgoing, leaves_what_it_has_shown_where_it_is_while_more_comes) {
  Outgoing bytes;
  bytes.append("short");
  const std::string_view shown = bytes.front(100);
  bytes.append(std::string(1000, 'x'));
  bytes.append("end");
  EXPECT_EQ(shown, "short");
  EXPECT_EQ(bytes.front(100).data(), shown.data());
  EXPECT_EQ(taken(bytes, 2000), "short" + std::string(1000, 'x') + "end");
}

}  // namespace
}  // namespace weft::http::grpc

#include "proxy/admin.h"

#include <gtest/gtest.h>

#include "http/testing/fake_exchange.h"
#include "proxy/testing/fake_server.h"

namespace weft::proxy {
namespace {

std::string answer_to(const std::string& target, const std::string& stats) {
  const auto loop = net::Loop::simulated();
  testing::FakeServer server;
  server.stats = stats;
  Admin admin(*loop, server, {[](std::string_view query) { return std::string(query); }, [] {}});
  http::testing::FakeExchange exchange("GET", target);
  net::TaskScope tasks;
  tasks.spawn(admin.handle(exchange));
  loop->settle();
  return std::to_string(exchange.status()) + " " + exchange.answer();
}

TEST(Admin, writes_a_name_that_holds_quotes_as_a_text_of_json) {
  EXPECT_EQ(answer_to("/stats?format=json", "cluster.a\"b\\c\x01.total: 3\nplain: 0\n"),
            R"(200 {"stats":[{"name":"cluster.a\"b\\c\u0001.total","value":3},{"name":"plain","value":0}]})");
}

TEST(Admin, filters_by_an_expression_and_shows_all_when_it_is_none) {
  const std::string stats = "cluster.a.total: 3\ncluster.b.total: 0\n";
  EXPECT_EQ(answer_to("/stats?filter=a%5C.total", stats), "200 cluster.a.total: 3\n");
  EXPECT_EQ(answer_to("/stats?usedonly", stats), "200 cluster.a.total: 3\n");
  EXPECT_EQ(answer_to("/stats?filter=((a%7B1000%7D)%7B1000%7D", stats), "200 " + stats);
}

}  // namespace
}  // namespace weft::proxy

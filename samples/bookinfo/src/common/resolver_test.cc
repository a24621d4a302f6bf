#include "common/resolver.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <vector>

namespace bookinfo {

namespace {

using namespace std::chrono_literals;

boost::asio::awaitable<void> note(Resolver& resolver, std::string host, std::chrono::milliseconds timeout,
                                  std::vector<Resolver::Outcome>& outcomes) {
  outcomes.push_back(co_await resolver.resolve(std::move(host), "9080", timeout));
}

}  // namespace

TEST(Resolver, answers_everybody_who_asks_for_the_same_name_at_once) {
  Resolver resolver;
  boost::asio::io_context context(1);
  std::vector<Resolver::Outcome> outcomes;
  for (int caller = 0; caller < 3; ++caller) {
    boost::asio::co_spawn(context, note(resolver, "127.0.0.1", 10s, outcomes), boost::asio::detached);
  }
  context.run();
  ASSERT_EQ(outcomes.size(), 3U);
  for (const Resolver::Outcome& outcome : outcomes) {
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->begin()->endpoint().port(), 9080);
  }
}

TEST(Resolver, says_why_a_name_has_no_addresses) {
  Resolver resolver;
  boost::asio::io_context context(1);
  std::vector<Resolver::Outcome> outcomes;
  boost::asio::co_spawn(context, note(resolver, "not a name", 10s, outcomes), boost::asio::detached);
  context.run();
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_FALSE(outcomes[0]);
}

}  // namespace bookinfo

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

TEST(Resolver, is_ended_by_its_loop_whatever_is_under_way) {
  std::vector<Resolver::Outcome> outcomes;
  for (int round = 0; round < 10; ++round) {
    boost::asio::io_context context(1);
    Resolver& resolver = Resolver::of(context.get_executor());
    for (const char* host : {"127.0.0.1", "127.0.0.2", "127.0.0.3", "no.such.name.invalid"})
      boost::asio::co_spawn(context, note(resolver, host, 10s, outcomes), boost::asio::detached);
    // Each lookup begins, and the loop goes before it has heard of an end.
    for (int begun = 0; begun < 4; ++begun) context.poll_one();
  }
  EXPECT_TRUE(outcomes.empty());
}

}  // namespace

TEST(Resolver, answers_everybody_who_asks_for_the_same_name_at_once) {
  boost::asio::io_context context(1);
  Resolver& resolver = Resolver::of(context.get_executor());
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
  boost::asio::io_context context(1);
  Resolver& resolver = Resolver::of(context.get_executor());
  std::vector<Resolver::Outcome> outcomes;
  boost::asio::co_spawn(context, note(resolver, "not a name", 10s, outcomes), boost::asio::detached);
  context.run();
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_FALSE(outcomes[0]);
}

}  // namespace bookinfo

#include "proxy/stats/filter_counter.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "proxy/stats/counters.h"

namespace weft::proxy {
namespace {

const FilterCounter kPlain("counted_by_a_test"), kDotted("test.counted");

TEST(FilterCounter, has_an_index_of_its_own_by_which_its_name_is_found) {
  const auto names = FilterCounter::names();
  ASSERT_LT(kDotted.index(), names.size());
  EXPECT_NE(kPlain.index(), kDotted.index());
  EXPECT_EQ(names[kPlain.index()], "counted_by_a_test");
  EXPECT_EQ(names[kDotted.index()], "test.counted");
  EXPECT_EQ(std::ranges::count(names, "fault.aborts_injected"), 1);
}

TEST(FilterCounter, counts_for_each_connection_manager_by_itself) {
  HttpCounters a, b;
  a.count(kPlain);
  a.count(kPlain);
  b.count(kDotted);
  StatsSnapshot sheet;
  sheet.add_http("a", a);
  sheet.add_http("b", b);
  const std::string text = sheet.plain();
  for (const char* line : {"http.a.counted_by_a_test: 2\n", "http.a.test.counted: 0\n",
                           "http.b.counted_by_a_test: 0\n", "http.b.test.counted: 1\n"})
    EXPECT_NE(text.find(line), text.npos) << line;
}

TEST(FilterCounter, its_dots_are_part_of_its_name_for_prometheus_and_not_of_the_manager_s) {
  HttpCounters counters;
  counters.count(kDotted);
  StatsSnapshot sheet;
  sheet.add_http("in.0", counters);
  const std::string text = sheet.prometheus();
  EXPECT_NE(text.find("# TYPE envoy_http_test_counted counter\n"
                      "envoy_http_test_counted{envoy_http_conn_manager_prefix=\"in.0\"} 1\n"),
            text.npos)
      << text;
  EXPECT_NE(text.find("envoy_http_fault_aborts_injected{envoy_http_conn_manager_prefix=\"in.0\"} 0\n"),
            text.npos)
      << text;
}

}  // namespace
}  // namespace weft::proxy

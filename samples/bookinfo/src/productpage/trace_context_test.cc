#include "productpage/trace_context.h"

#include <gtest/gtest.h>

namespace bookinfo::productpage {

namespace {

constexpr const char* kTrace = "463AC35C9F6413AD48485A3953BB6124";
constexpr const char* kSpan = "A2FB4A1D1A96D312";

std::string context_of(Headers in) {
  Headers out;
  add_b3_context(in, out);
  std::string all;
  for (const auto& [name, value] : out) all += name + "=" + value + " ";
  return all;
}

std::string expected(const std::string& trace, const std::string& sampled) {
  return "x-b3-traceid=" + trace + " x-b3-spanid=a2fb4a1d1a96d312 x-b3-sampled=" + sampled + " ";
}

}  // namespace

TEST(B3Context, comes_out_lower_case_padded_and_with_a_decision) {
  const std::string whole = "463ac35c9f6413ad48485a3953bb6124";
  EXPECT_EQ(context_of({{"X-B3-TraceId", kTrace}, {"X-B3-SpanId", kSpan}}), expected(whole, "0"));
  EXPECT_EQ(context_of({{"x-b3-traceid", "48485a3953bb6124"}, {"x-b3-spanid", kSpan}, {"x-b3-sampled", "1"}}),
            expected("000000000000000048485a3953bb6124", "1"));
  EXPECT_EQ(context_of({{"x-b3-traceid", kTrace}, {"x-b3-spanid", kSpan}, {"x-b3-flags", "1"}}),
            expected(whole, "1"));
  EXPECT_EQ(context_of({{"x-b3-traceid", kTrace}, {"x-b3-spanid", kSpan}, {"x-b3-parentspanid", kSpan}}),
            expected(whole, "0"));
}

TEST(B3Context, prefers_the_single_header) {
  const std::string single = std::string(kTrace) + "-" + kSpan + "-d-" + kSpan;
  EXPECT_EQ(context_of({{"b3", single}, {"x-b3-traceid", "1111111111111111"}, {"x-b3-spanid", kSpan}}),
            expected("463ac35c9f6413ad48485a3953bb6124", "1"));
  EXPECT_EQ(context_of({{"b3", "0"}, {"x-b3-traceid", kTrace}, {"x-b3-spanid", kSpan}}), "");
}

TEST(B3Context, is_left_out_without_valid_ids) {
  EXPECT_EQ(context_of({{"x-b3-sampled", "1"}}), "");
  EXPECT_EQ(context_of({{"x-b3-traceid", kTrace}}), "");
  EXPECT_EQ(context_of({{"x-b3-traceid", "0000000000000000"}, {"x-b3-spanid", kSpan}}), "");
  EXPECT_EQ(context_of({{"x-b3-traceid", kTrace}, {"x-b3-spanid", "0000000000000000"}}), "");
  EXPECT_EQ(context_of({{"x-b3-traceid", "48485a3953bb612x"}, {"x-b3-spanid", kSpan}}), "");
  EXPECT_EQ(context_of({{"x-b3-traceid", "48485a39"}, {"x-b3-spanid", kSpan}}), "");
}

}  // namespace bookinfo::productpage

#include "proxy/log/response_flags.h"

#include <gtest/gtest.h>

namespace weft::proxy {
namespace {

constexpr std::pair<Flag, std::string_view> kNames[] = {
    {Flag::kNoHealthyUpstream, "UH"},
    {Flag::kUpstreamConnectionFailure, "UF"},
    {Flag::kUpstreamOverflow, "UO"},
    {Flag::kNoRoute, "NR"},
    {Flag::kUpstreamRetryLimit, "URX"},
    {Flag::kNoCluster, "NC"},
    {Flag::kDownstreamTerminated, "DC"},
    {Flag::kUpstreamTermination, "UC"},
    {Flag::kUpstreamTimeout, "UT"},
    {Flag::kUpstreamProtocolError, "UPE"},
    {Flag::kDownstreamProtocolError, "DPE"},
    {Flag::kStreamIdleTimeout, "SI"},
    {Flag::kLocalReset, "LR"},
    {Flag::kUpstreamRemoteReset, "UR"},
    {Flag::kDurationTimeout, "DT"},
    {Flag::kOverloadManager, "OM"},
    {Flag::kDelayInjected, "DI"},
    {Flag::kFaultInjected, "FI"},
};

std::string text(const ResponseFlags& flags) {
  std::string out;
  flags.append_to(out);
  return out;
}

TEST(ResponseFlags, each_has_envoy_s_short_name_and_is_found_by_it) {
  for (const auto& [flag, name] : kNames) {
    ResponseFlags flags;
    flags.set(flag);
    EXPECT_EQ(text(flags), name);
    EXPECT_EQ(flag_named(name), flag) << name;
  }
  for (const char* name : {"", "-", "uf", "UF,URX", " UF", "XX"}) EXPECT_EQ(flag_named(name), std::nullopt);
}

TEST(ResponseFlags, are_a_set_that_is_written_in_one_order) {
  ResponseFlags flags;
  EXPECT_TRUE(flags.empty());
  EXPECT_EQ(text(flags), "-");
  flags.set(Flag::kFaultInjected);
  flags.set(Flag::kUpstreamConnectionFailure);
  flags.set(Flag::kUpstreamConnectionFailure);
  EXPECT_EQ(text(flags), "UF,FI");
  EXPECT_TRUE(flags.has(Flag::kFaultInjected));
  EXPECT_FALSE(flags.has(Flag::kUpstreamRetryLimit));
  EXPECT_TRUE(flags.any_of(static_cast<std::uint32_t>(Flag::kFaultInjected) | 1u));
  EXPECT_FALSE(flags.any_of(static_cast<std::uint32_t>(Flag::kUpstreamRetryLimit)));
  flags.clear(Flag::kFaultInjected);
  flags.clear(Flag::kNoRoute);
  EXPECT_EQ(text(flags), "UF");
  flags.set(Flag::kNone);
  EXPECT_EQ(text(flags), "UF");
}

TEST(ResponseFlags, all_at_once_are_all_names) {
  ResponseFlags flags;
  std::string want;
  for (const auto& [flag, name] : kNames) {
    flags.set(flag);
    want += (want.empty() ? "" : ",") + std::string(name);
  }
  EXPECT_EQ(text(flags), want);
}

}  // namespace
}  // namespace weft::proxy

#include <gtest/gtest.h>
#include <sched.h>

#include <cstdio>
#include <string>
#include <thread>

#include "capture/install.h"
#include "capture/netfilter_message.h"
#include "capture/rules.h"

namespace weft::capture {
namespace {

constexpr const char* kGolden =
    "table ip weft {\n"
    "\tchain output {\n"
    "\t\ttype nat hook output priority dstnat; policy accept;\n"
    "\t\tmeta mark 0x0000053a return\n"
    "\t\toif \"lo\" ip saddr 127.0.0.6 return\n"
    "\t\toif \"lo\" tcp dport 15008 return\n"
    "\t\toif \"lo\" ip daddr != 127.0.0.0/8 meta mark 0x00000539 meta l4proto tcp redirect to :15006\n"
    "\t\toif \"lo\" ip daddr != 127.0.0.0/8 meta skuid 1337 meta l4proto tcp redirect to :15006\n"
    "\t\toif \"lo\" ip daddr != 127.0.0.0/8 meta skgid 1337 meta l4proto tcp redirect to :15006\n"
    "\t\tmeta mark 0x00000539 return\n"
    "\t\tmeta skuid 1337 return\n"
    "\t\tmeta skgid 1337 return\n"
    "\t\toif \"lo\" return\n"
    "\t\tip daddr 127.0.0.0/8 return\n"
    "\t\tmeta l4proto tcp redirect to :15001\n"
    "\t}\n"
    "\n"
    "\tchain prerouting {\n"
    "\t\ttype nat hook prerouting priority dstnat; policy accept;\n"
    "\t\ttcp dport 15008 return\n"
    "\t\ttcp dport 15020 return\n"
    "\t\ttcp dport 15021 return\n"
    "\t\ttcp dport 15090 return\n"
    "\t\tmeta l4proto tcp redirect to :15006\n"
    "\t}\n"
    "}\n";

TEST(Rules, AreIstiosForASidecarKnownByMarkUserOrGroup) { EXPECT_EQ(to_nft(rules_of({})), kGolden); }

/// What `nft list ruleset` prints in a network namespace of its own after `action`; the thread ends with it.
std::string listed_after(Result<void> (*action)()) {
  std::string text;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      text = "unshare: " + errno_text(errno);
      return;
    }
    if (const auto done = action(); !done) {
      text = done.error().text;
      return;
    }
    // popen's child is in the namespace of the thread that made it.
    FILE* listing = ::popen("/usr/sbin/nft list ruleset", "r");
    char block[4096];
    while (std::size_t got = std::fread(block, 1, sizeof block, listing)) text.append(block, got);
    ::pclose(listing);
  }).join();
  return text;
}

TEST(Install, GivesTheKernelExactlyTheRulesThatArePrinted) {
  std::string listed = listed_after([] { return install({}); });
  // nft has two words for one priority at the output hook.
  for (const std::string other : {"priority -100", "priority dstnat"})
    if (auto at = listed.find("hook output " + other); at != listed.npos)
      listed.replace(at, ("hook output " + other).size(), "hook output priority dstnat");
  EXPECT_EQ(listed, kGolden);
}

}  // namespace
}  // namespace weft::capture

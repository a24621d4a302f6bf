#pragma once

#include <string>
#include <vector>

#include "capture/rules.h"

namespace weft::capture {

/// One nf_tables transaction (linux/netfilter/nf_tables.h) after which exactly these rules are ours: what was
/// there of an earlier run goes in the same step, so no packet meets a time without rules. No sets: only
/// that. The last message asks for an acknowledgement, which comes when the kernel has taken all of it.
std::string to_netlink(const std::vector<RuleSet>& sets);

/// The same for the chains that `set` uses; other chains of ours stay as they are.
std::string to_netlink_replacing_chains(const RuleSet& set);

}  // namespace weft::capture

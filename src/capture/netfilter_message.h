#pragma once

#include <string>
#include <vector>

#include "capture/rules.h"

namespace weft::capture {

/// The rules as one nf_tables transaction (linux/netfilter/nf_tables.h): the kernel takes all of it or
/// nothing. Every message in it asks for an acknowledgement; messages are numbered from 1.
std::string to_netlink(const std::vector<Rule>& rules);

}  // namespace weft::capture

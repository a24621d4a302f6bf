#pragma once

#include <string_view>
#include <vector>

#include "capture/network.h"

namespace weft::capture {

/// Whether this network namespace wants rules for IPv6: when the first address of an interface that is
/// neither loopback nor link-local is IPv6, or, with `dual_stack`, any is. The kernel lists IPv4 first.
bool is_ipv6_wanted(bool dual_stack);

/// The servers that a text in the form of /etc/resolv.conf (resolv.conf(5)) names; lines that say anything
/// else are passed over.
std::vector<Network> nameservers(std::string_view resolv_conf);

}  // namespace weft::capture

#pragma once

#include <string_view>

namespace weft::capture {

/// Sends messages of which the last asks for an acknowledgement to the kernel's netlink family `protocol`
/// (NETLINK_NETFILTER, NETLINK_ROUTE) in the calling thread's network namespace, and waits for it. The result
/// is 0, or the errno value of the first that was rejected.
int netlink_exchange(int protocol, std::string_view messages);

}  // namespace weft::capture

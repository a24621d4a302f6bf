#pragma once

#include <optional>
#include <span>

namespace weft::capture {

/// What the kernel's netlink messages (netlink(7)) in `received` say of a request: 0 for an acknowledgement,
/// or the errno value of a rejection, whichever comes first. Nullopt: none of them does, or they are cut off
/// before.
std::optional<int> netlink_outcome(std::span<const char> received);

}  // namespace weft::capture

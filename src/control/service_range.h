#pragma once

#include <cstdint>
#include <string_view>

namespace weft::control {

/// Where Services have their addresses on one machine: 10.96.0.0/12, as with kubeadm. Host byte order.
inline constexpr std::uint32_t kFirstServiceAddress = (10U << 24) + (96U << 16);
inline constexpr std::uint32_t kServiceAddresses = 1U << 20;

/// Whether that is an IPv4 address of the range. Any thread.
bool is_service_address(std::string_view text);

}  // namespace weft::control

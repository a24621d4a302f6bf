#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "capture/network.h"

namespace weft::capture {

/// Whether this pod wants rules for IPv6: when `instance_ip`, its status.podIP, is IPv6. That is the pod's
/// first address for the sidecar and the control plane too, and of a pod of both families it may be either.
///
/// Where it is not given (empty, or no address) the interfaces of this network namespace decide: the first
/// address that is neither loopback nor link-local, and the kernel lists IPv4 first. With `dual_stack` any
/// IPv6 address of an interface will do.
bool is_ipv6_wanted(bool dual_stack, std::string_view instance_ip);

struct Nameserver {
  Network address;
  std::string zone;  ///< the interface of a link-local one, as it is written; else empty
};

/// The servers that a text in the form of /etc/resolv.conf (resolv.conf(5)) names; lines that say anything
/// else are passed over.
std::vector<Nameserver> nameservers(std::string_view resolv_conf);

}  // namespace weft::capture

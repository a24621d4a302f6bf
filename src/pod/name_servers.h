#pragma once

#include <string_view>
#include <vector>

#include "net/address.h"

namespace weft::pod {

/// Port 53 of the servers that a text in the form of /etc/resolv.conf (resolv.conf(5)) names, in its order:
/// those of capture::nameservers(). A link-local one keeps its interface, written behind it by name or number
/// (fe80::1%eth0; RFC 4007, 11); one whose interface does not exist is left out, and a line in the log says
/// so.
std::vector<net::Address> name_servers(std::string_view resolv_conf);

}  // namespace weft::pod

#include "capture/pod_environment.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <memory>

#include "base/strings.h"

namespace weft::capture {
namespace {

bool is_usable(const in6_addr& address) {
  return !IN6_IS_ADDR_LOOPBACK(&address) && !IN6_IS_ADDR_LINKLOCAL(&address) &&
         !IN6_IS_ADDR_MC_LINKLOCAL(&address);
}

bool is_usable(const in_addr& address) {
  const std::uint32_t number = ntohl(address.s_addr);
  return number >> 24 != 127 && number >> 16 != 0xa9fe;  // 169.254.0.0/16
}

bool interfaces_want_ipv6(bool dual_stack) {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return false;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(first, &::freeifaddrs);
  for (const ifaddrs* each = first; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    if (each->ifa_addr->sa_family == AF_INET6 &&
        is_usable(reinterpret_cast<const sockaddr_in6*>(each->ifa_addr)->sin6_addr)) {
      // ::6 is ours, of an earlier run, and not reachable from outside.
      static constexpr in6_addr kOurs = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6}}};
      if (!IN6_ARE_ADDR_EQUAL(&reinterpret_cast<const sockaddr_in6*>(each->ifa_addr)->sin6_addr, &kOurs))
        return true;
    }
    if (each->ifa_addr->sa_family == AF_INET && !dual_stack &&
        is_usable(reinterpret_cast<const sockaddr_in*>(each->ifa_addr)->sin_addr))
      return false;
  }
  return false;
}

}  // namespace

bool is_ipv6_wanted(bool dual_stack, std::string_view instance_ip) {
  const auto given = Network::parse(instance_ip);
  if (!given || !given->is_one_address()) return interfaces_want_ipv6(dual_stack);
  return given->family == Family::kIpv6 || (dual_stack && interfaces_want_ipv6(true));
}

std::vector<Nameserver> nameservers(std::string_view resolv_conf) {
  std::vector<Nameserver> servers;
  for (const std::string_view line : split(resolv_conf, '\n')) {
    constexpr std::string_view kKeyword = "nameserver";
    if (!line.starts_with(kKeyword)) continue;
    const std::string_view rest = line.substr(kKeyword.size());
    const std::string_view address = trim(rest);
    if (address.empty() || address.size() == rest.size() || address.find('/') != address.npos) continue;
    // A link-local server is written with its interface: fe80::1%eth0.
    const std::size_t percent = std::min(address.find('%'), address.size());
    const auto server = Network::parse(address.substr(0, percent));
    if (server)
      servers.push_back({*server, std::string(address.substr(std::min(percent + 1, address.size())))});
  }
  return servers;
}

}  // namespace weft::capture

#include "pod/name_servers.h"

#include <net/if.h>

#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include "base/log.h"
#include "capture/pod_environment.h"

namespace weft::pod {
namespace {

constexpr std::uint16_t kDnsPort = 53;

/// 0: there is no such interface.
unsigned interface_index(const std::string& zone) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(zone.data(), zone.data() + zone.size(), number);
  if (error == std::errc() && end == zone.data() + zone.size()) return number;
  return ::if_nametoindex(zone.c_str());
}

std::optional<net::Address> address_of(const capture::Nameserver& server) {
  const auto plain = net::Address::parse_ip(server.address.address(), kDnsPort);
  if (!plain) return std::nullopt;
  if (server.zone.empty() || plain->is_v4()) return *plain;
  sockaddr_in6 scoped{};
  std::memcpy(&scoped, plain->data(), sizeof scoped);
  scoped.sin6_scope_id = interface_index(server.zone);
  if (scoped.sin6_scope_id == 0) return std::nullopt;
  return net::Address::from(reinterpret_cast<const sockaddr*>(&scoped), sizeof scoped);
}

}  // namespace

std::vector<net::Address> name_servers(std::string_view resolv_conf) {
  std::vector<net::Address> found;
  for (const capture::Nameserver& server : capture::nameservers(resolv_conf)) {
    if (const auto address = address_of(server))
      found.push_back(*address);
    else
      WEFT_LOG(kWarn, "dns", "a name server is left out: its interface does not exist",
               {"server", server.address.address()}, {"interface", server.zone});
  }
  return found;
}

}  // namespace weft::pod

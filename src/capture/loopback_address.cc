#include "capture/loopback_address.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>

#include "capture/netlink_exchange.h"
#include "capture/netlink_writer.h"

namespace weft::capture {
namespace {

constexpr std::uint32_t kLoopbackIndex = 1;  // in every network namespace

std::string message(std::uint16_t type, std::uint16_t flags) {
  ifaddrmsg about{};
  about.ifa_family = AF_INET6;
  about.ifa_prefixlen = 128;
  about.ifa_flags = IFA_F_NODAD;  // no other machine can have it, so it is usable at once
  about.ifa_index = kLoopbackIndex;
  std::array<char, 16> address{};
  address.back() = 6;
  NetlinkWriter writer;
  writer.message(type, flags, bytes_of(about), [&] { writer.attribute(IFA_LOCAL, bytes_of(address)); });
  writer.acknowledge();
  return writer.take();
}

Error failure(int number) {
  const std::string text = "address ::6 on lo: " + errno_text(number);
  if (number == EPERM) return Error::internal(Code::kDenied, text + " (the capability NET_ADMIN is missing)");
  return Error::internal(Code::kUnsupported,
                         text + " (IPv6 must be on there: net.ipv6.conf.lo.disable_ipv6=0)");
}

}  // namespace

Result<void> add_loopback_address() {
  const int number = netlink_exchange(NETLINK_ROUTE, message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE));
  return number == 0 ? Result<void>{} : fail(failure(number));
}

Result<void> remove_loopback_address() {
  const int number = netlink_exchange(NETLINK_ROUTE, message(RTM_DELADDR, 0));
  const bool gone = number == 0 || number == EADDRNOTAVAIL || number == EAFNOSUPPORT || number == EOPNOTSUPP;
  return gone ? Result<void>{} : fail(failure(number));
}

}  // namespace weft::capture

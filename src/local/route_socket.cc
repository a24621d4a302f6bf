#include "local/route_socket.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <functional>
#include <span>

#include "capture/netlink_outcome.h"
#include "capture/netlink_writer.h"

namespace weft::local {
namespace {

using capture::bytes_of;
using capture::NetlinkWriter;

constexpr std::uint16_t kNew = NLM_F_CREATE | NLM_F_EXCL;

template <class Body>
std::string request(std::uint16_t type, std::uint16_t flags, const Body& body,
                    const std::function<void(NetlinkWriter&)>& attributes = {}) {
  NetlinkWriter writer;
  writer.message(type, static_cast<std::uint16_t>(NLM_F_ACK | flags), bytes_of(body), [&] {
    if (attributes) attributes(writer);
  });
  return writer.take();
}

ifinfomsg link_of(std::string_view name) {
  ifinfomsg body{};
  body.ifi_family = AF_UNSPEC;
  if (!name.empty()) body.ifi_index = static_cast<int>(::if_nametoindex(std::string(name).c_str()));
  return body;
}

}  // namespace

Result<RouteSocket> RouteSocket::open() {
  net::Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) return fail(Error::internal(Code::kInternal, "rtnetlink: " + errno_text(errno)));
  return RouteSocket(std::move(fd));
}

Result<void> RouteSocket::exchange(std::string message, const std::string& doing) {
  const auto failed = [&](int number) {
    return fail(Error::internal(number == EPERM ? Code::kDenied : Code::kInternal,
                                doing + ": " + errno_text(number)));
  };
  if (::send(fd_.get(), message.data(), message.size(), 0) < 0) return failed(errno);
  std::array<char, 8192> response;
  const ssize_t got = ::recv(fd_.get(), response.data(), response.size(), 0);
  if (got < 0) return failed(errno);
  const auto outcome = capture::netlink_outcome(std::span(response).first(static_cast<std::size_t>(got)));
  if (const int number = outcome.value_or(EPROTO); number != 0) return failed(number);
  return {};
}

Result<void> RouteSocket::add_bridge(std::string_view name) {
  return exchange(request(RTM_NEWLINK, kNew, link_of(""),
                          [&](NetlinkWriter& link) {
                            link.text(IFLA_IFNAME, name);
                            link.nested(IFLA_LINKINFO, [&] { link.text(IFLA_INFO_KIND, "bridge"); });
                          }),
                  "making the bridge " + std::string(name));
}

Result<void> RouteSocket::add_veth(std::string_view name, std::string_view peer, int peer_namespace) {
  const auto attributes = [&](NetlinkWriter& link) {
    link.text(IFLA_IFNAME, name);
    link.nested(IFLA_LINKINFO, [&] {
      link.text(IFLA_INFO_KIND, "veth");
      link.nested(IFLA_INFO_DATA, [&] {
        link.nested(VETH_INFO_PEER, [&] {
          link.raw(bytes_of(ifinfomsg{}));
          link.text(IFLA_IFNAME, peer);
          link.number(IFLA_NET_NS_FD, static_cast<std::uint32_t>(peer_namespace));
        });
      });
    });
  };
  return exchange(request(RTM_NEWLINK, kNew, link_of(""), attributes),
                  "making the interface " + std::string(name));
}

Result<void> RouteSocket::set_up(std::string_view name) {
  ifinfomsg body = link_of(name);
  body.ifi_flags = body.ifi_change = IFF_UP;
  return exchange(request(RTM_NEWLINK, 0, body), "setting the interface " + std::string(name) + " up");
}

Result<void> RouteSocket::attach(std::string_view name, std::string_view master) {
  ifinfomsg body = link_of(name);
  body.ifi_flags = body.ifi_change = IFF_UP;
  const unsigned bridge = ::if_nametoindex(std::string(master).c_str());
  return exchange(
      request(RTM_NEWLINK, 0, body, [&](NetlinkWriter& link) { link.number(IFLA_MASTER, bridge); }),
      "attaching " + std::string(name) + " to " + std::string(master));
}

Result<void> RouteSocket::add_address(std::string_view name, std::uint32_t address, std::uint8_t prefix) {
  ifaddrmsg body{};
  body.ifa_family = AF_INET;
  body.ifa_prefixlen = prefix;
  body.ifa_index = static_cast<std::uint32_t>(link_of(name).ifi_index);
  return exchange(request(RTM_NEWADDR, kNew, body,
                          [&](NetlinkWriter& writer) {
                            writer.number_be(IFA_LOCAL, address);
                            writer.number_be(IFA_ADDRESS, address);
                          }),
                  "giving " + std::string(name) + " an address");
}

Result<void> RouteSocket::add_default_route(std::uint32_t gateway) {
  rtmsg body{};
  body.rtm_family = AF_INET;
  body.rtm_table = RT_TABLE_MAIN;
  body.rtm_protocol = RTPROT_STATIC;
  body.rtm_scope = RT_SCOPE_UNIVERSE;
  body.rtm_type = RTN_UNICAST;
  return exchange(
      request(RTM_NEWROUTE, kNew, body, [&](NetlinkWriter& route) { route.number_be(RTA_GATEWAY, gateway); }),
      "setting the default route");
}

Result<void> RouteSocket::remove(std::string_view name) {
  return exchange(request(RTM_DELLINK, 0, link_of(name)), "removing the interface " + std::string(name));
}

}  // namespace weft::local

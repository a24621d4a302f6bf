#include "local/route_socket.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>

namespace weft::local {
namespace {

/// One rtnetlink request being written.
class Request {
 public:
  template <class Body>
  Request(std::uint16_t type, std::uint16_t flags, const Body& body) {
    nlmsghdr head{};
    head.nlmsg_type = type;
    head.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    append(&head, sizeof head);
    append(&body, sizeof body);
  }
  void attribute(std::uint16_t type, std::string_view value) {
    const rtattr head{static_cast<std::uint16_t>(RTA_LENGTH(value.size())), type};
    append(&head, sizeof head);
    append(value.data(), value.size());
  }
  void text(std::uint16_t type, std::string_view value) { attribute(type, std::string(value) + '\0'); }
  template <class T>
  void number(std::uint16_t type, T value) {
    attribute(type, std::string_view(reinterpret_cast<const char*>(&value), sizeof value));
  }
  void nested(std::uint16_t type, const std::function<void()>& inside) {
    const std::size_t begin = bytes_.size();
    attribute(static_cast<std::uint16_t>(type | NLA_F_NESTED), {});
    inside();
    const auto length = static_cast<std::uint16_t>(bytes_.size() - begin);
    std::memcpy(bytes_.data() + begin, &length, sizeof length);
  }
  /// The end of a nested link message: its own header without attributes.
  void raw(const void* data, std::size_t size) { append(data, size); }
  std::string take() {
    const auto length = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &length, sizeof length);
    return std::move(bytes_);
  }

 private:
  void append(const void* data, std::size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
    bytes_.resize((bytes_.size() + 3) & ~std::size_t{3});
  }
  std::string bytes_;
};

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
  std::array<char, 8192> answer;
  const ssize_t got = ::recv(fd_.get(), answer.data(), answer.size(), 0);
  if (got < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(int)))) return failed(got < 0 ? errno : EPROTO);
  nlmsghdr head;
  int error = 0;
  std::memcpy(&head, answer.data(), sizeof head);
  std::memcpy(&error, answer.data() + NLMSG_HDRLEN, sizeof error);
  if (head.nlmsg_type != NLMSG_ERROR) return failed(EPROTO);
  if (error != 0) return failed(-error);
  return {};
}

Result<void> RouteSocket::add_bridge(std::string_view name) {
  Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, link_of(""));
  request.text(IFLA_IFNAME, name);
  request.nested(IFLA_LINKINFO, [&] { request.text(IFLA_INFO_KIND, "bridge"); });
  return exchange(request.take(), "making the bridge " + std::string(name));
}

Result<void> RouteSocket::add_veth(std::string_view name, std::string_view peer, int peer_namespace) {
  Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, link_of(""));
  request.text(IFLA_IFNAME, name);
  request.nested(IFLA_LINKINFO, [&] {
    request.text(IFLA_INFO_KIND, "veth");
    request.nested(IFLA_INFO_DATA, [&] {
      request.nested(VETH_INFO_PEER, [&] {
        const ifinfomsg body{};
        request.raw(&body, sizeof body);
        request.text(IFLA_IFNAME, peer);
        request.number(IFLA_NET_NS_FD, static_cast<std::uint32_t>(peer_namespace));
      });
    });
  });
  return exchange(request.take(), "making the interface " + std::string(name));
}

Result<void> RouteSocket::set_up(std::string_view name) {
  ifinfomsg body = link_of(name);
  body.ifi_flags = body.ifi_change = IFF_UP;
  return exchange(Request(RTM_NEWLINK, 0, body).take(), "setting the interface " + std::string(name) + " up");
}

Result<void> RouteSocket::attach(std::string_view name, std::string_view master) {
  ifinfomsg body = link_of(name);
  body.ifi_flags = body.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, 0, body);
  request.number(IFLA_MASTER, static_cast<std::uint32_t>(::if_nametoindex(std::string(master).c_str())));
  return exchange(request.take(), "attaching " + std::string(name) + " to " + std::string(master));
}

Result<void> RouteSocket::add_address(std::string_view name, std::uint32_t address, std::uint8_t prefix) {
  ifaddrmsg body{};
  body.ifa_family = AF_INET;
  body.ifa_prefixlen = prefix;
  body.ifa_index = static_cast<std::uint32_t>(link_of(name).ifi_index);
  Request request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, body);
  request.number(IFA_LOCAL, htonl(address));
  request.number(IFA_ADDRESS, htonl(address));
  return exchange(request.take(), "giving " + std::string(name) + " an address");
}

Result<void> RouteSocket::add_default_route(std::uint32_t gateway) {
  rtmsg body{};
  body.rtm_family = AF_INET;
  body.rtm_table = RT_TABLE_MAIN;
  body.rtm_protocol = RTPROT_STATIC;
  body.rtm_scope = RT_SCOPE_UNIVERSE;
  body.rtm_type = RTN_UNICAST;
  Request request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, body);
  request.number(RTA_GATEWAY, htonl(gateway));
  return exchange(request.take(), "setting the default route");
}

Result<void> RouteSocket::remove(std::string_view name) {
  return exchange(Request(RTM_DELLINK, 0, link_of(name)).take(),
                  "removing the interface " + std::string(name));
}

}  // namespace weft::local

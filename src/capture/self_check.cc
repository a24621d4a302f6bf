#include "capture/self_check.h"

#include <arpa/inet.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "capture/descriptor.h"

namespace weft::capture {
namespace {

constexpr std::uint16_t kProbePort = 15002;
// linux/netfilter_ipv6/ip6_tables.h, which needs headers of the kernel's own.
constexpr int kIp6OriginalDestination = 80;

struct Endpoint {
  Network address;
  std::uint16_t port;

  std::string to_string() const {
    const std::string text = address.address();
    return (address.family == Family::kIpv4 ? text : "[" + text + "]") + ":" + std::to_string(port);
  }
};

/// A connection to make and the port to which the rules have to send it.
struct Probe {
  Endpoint to;
  std::uint16_t arrives_at;
  std::optional<Network> from = {};
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress to_socket_address(const Endpoint& from) {
  SocketAddress made;
  if (from.address.family == Family::kIpv4) {
    auto& in = reinterpret_cast<sockaddr_in&>(made.storage);
    in.sin_family = AF_INET;
    in.sin_port = htons(from.port);
    std::memcpy(&in.sin_addr, from.address.bytes.data(), 4);
    made.length = sizeof in;
  } else {
    auto& in = reinterpret_cast<sockaddr_in6&>(made.storage);
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(from.port);
    std::memcpy(&in.sin6_addr, from.address.bytes.data(), 16);
    made.length = sizeof in;
  }
  return made;
}

Network constant(Family family, const char* ipv4, const char* ipv6) {
  return *Network::parse(family == Family::kIpv4 ? ipv4 : ipv6);
}

template <class T>
bool holds(const std::vector<T>& all, T one) {
  return std::ranges::find(all, one) != all.end();
}

bool is_sidecar(const Redirection& from) {
  return holds<std::uint32_t>(from.sidecar_users, ::geteuid()) ||
         holds<std::uint32_t>(from.sidecar_groups, ::getegid());
}

/// An address outside that the rules capture for this process.
std::optional<Endpoint> outside(const Redirection& from, Family family) {
  const std::uint32_t group = ::getegid();
  if (holds(from.uncaptured_groups, group) ||
      (!from.captured_groups.empty() && !holds(from.captured_groups, group)))
    return std::nullopt;
  // The ranges of documentation (RFC 5737, RFC 3849) are never assigned.
  std::vector<Network> candidates = {constant(family, "192.0.2.1", "2001:db8::1"),
                                     constant(family, "198.51.100.1", "2001:db8:1::1")};
  std::uint16_t port = kProbePort;
  if (!from.all_outbound) {
    if (!from.outbound_ports.empty())
      port = from.outbound_ports.front();
    else
      candidates.clear();
    for (Network each : from.outbound_ranges) {
      if (each.family != family) continue;
      const bool one = each.is_one_address();
      each.prefix = static_cast<std::uint8_t>(each.size() * 8);
      if (!one) each.bytes[each.size() - 1] |= 1;
      candidates.push_back(each);
    }
  }
  while (holds(from.excluded_outbound_ports, port)) ++port;
  for (const Network& each : candidates)
    if (std::ranges::none_of(from.excluded_outbound_ranges,
                             [&](const Network& range) { return range.contains(each); }))
      return Endpoint{each, port};
  return std::nullopt;
}

std::optional<Probe> choose(const Redirection& from, Family family) {
  // Left to the kernel, the source of IPv6 would be ::6 too, from which connections to the application come.
  if (is_sidecar(from))
    return Probe{{constant(family, "127.0.0.6", "::6"), kProbePort},
                 from.inbound_port,
                 constant(family, "127.0.0.1", "::1")};
  const auto to = outside(from, family);
  return to ? std::optional(Probe{*to, from.outbound_port}) : std::nullopt;
}

/// Until the listener has a connection, the client is refused, or the timeout has passed.
bool arrives(int listener, int client, std::chrono::milliseconds timeout) {
  pollfd waiting[] = {{.fd = listener, .events = POLLIN, .revents = 0},
                      {.fd = client, .events = 0, .revents = 0}};
  int ready = 0;
  do ready = ::poll(waiting, 2, static_cast<int>(timeout.count()));
  while (ready < 0 && errno == EINTR);
  return (waiting[0].revents & POLLIN) != 0;
}

std::optional<SocketAddress> original_destination(int fd, Family family) {
  SocketAddress original;
  const bool four = family == Family::kIpv4;
  if (::getsockopt(fd, four ? SOL_IP : SOL_IPV6, four ? SO_ORIGINAL_DST : kIp6OriginalDestination,
                   original.get(), &original.length) != 0)
    return std::nullopt;
  return original;
}

Result<void> check(const Probe& probe, std::chrono::milliseconds timeout) {
  const Family family = probe.to.address.family;
  const auto wrong = [&](Code code, const std::string& text) {
    return fail(Error::internal(code, "self-check: connection to " + probe.to.to_string() + ": " + text));
  };
  const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const int domain = family == Family::kIpv4 ? AF_INET : AF_INET6;
  const Descriptor listener(::socket(domain, type, 0));
  const Endpoint at{constant(family, "127.0.0.1", "::1"), probe.arrives_at};
  SocketAddress local = to_socket_address(at);
  const int yes = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(listener.get(), local.get(), local.length) != 0 || ::listen(listener.get(), 1) != 0)
    return wrong(errno == EADDRINUSE ? Code::kConflict : Code::kUnavailable,
                 "cannot listen on " + at.to_string() + ": " + errno_text(errno) +
                     (errno == EADDRINUSE ? "; the check comes before the sidecar" : ""));
  const Descriptor client(::socket(domain, type, 0));
  if (probe.from) {
    SocketAddress source = to_socket_address({*probe.from, 0});
    if (::bind(client.get(), source.get(), source.length) != 0)
      return wrong(Code::kUnavailable, errno_text(errno));
  }
  SocketAddress to = to_socket_address(probe.to);
  if (::connect(client.get(), to.get(), to.length) != 0 && errno != EINPROGRESS)
    return wrong(Code::kUnavailable, errno_text(errno) + (errno == ENETUNREACH ? "; a route is needed" : ""));
  if (!arrives(listener.get(), client.get(), timeout))
    return wrong(Code::kUnavailable, "did not arrive at " + at.to_string() + ": the rules are not applied");
  const Descriptor accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const auto original = original_destination(accepted.get(), family);
  if (!original || std::memcmp(&original->storage, &to.storage, to.length) != 0)
    return wrong(Code::kUnavailable, "arrived without its original destination");
  return {};
}

}  // namespace

Result<void> self_check(const Redirection& redirection, std::chrono::milliseconds timeout) {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    if (family == Family::kIpv6 && !redirection.ipv6) continue;
    const auto probe = choose(redirection, family);
    if (!probe)
      return fail(Error::internal(
          Code::kUnavailable,
          "self-check: nothing that this user sends is captured; run it as the sidecar's user"));
    WEFT_CHECK(check(*probe, timeout));
  }
  return {};
}

}  // namespace weft::capture

#include "capture/netlink_exchange.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <span>

#include "capture/descriptor.h"
#include "capture/netlink_outcome.h"

namespace weft::capture {
int netlink_exchange(int protocol, std::string_view messages) {
  const Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!socket) return errno;
  // A transaction is one datagram, which must fit into the socket's buffer. Without the right to exceed the
  // machine's limit the default has to do, and sending says when it does not.
  const int room = static_cast<int>(messages.size()) * 2 + 64 * 1024;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(socket.get(), messages.data(), messages.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
               sizeof kernel) < 0)
    return errno;
  for (;;) {
    std::array<char, 32 * 1024> reply;
    const ssize_t got = ::recv(socket.get(), reply.data(), reply.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0 ? errno : EIO;
    if (const auto number = netlink_outcome(std::span(reply).first(static_cast<std::size_t>(got))))
      return *number;
  }
}

}  // namespace weft::capture

#include <ares.h>
#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/time.h"
#include "store/kubernetes/api_client.h"

namespace weft::store {
namespace {

struct Outcome {
  bool done = false;
  int status = ARES_ETIMEOUT;
  std::vector<net::Address> addresses;
};

void take(void* into, int status, int, ares_addrinfo* found) {
  auto& outcome = *static_cast<Outcome*>(into);
  outcome.done = true;
  outcome.status = status;
  for (const ares_addrinfo_node* one = found ? found->nodes : nullptr; one; one = one->ai_next)
    outcome.addresses.push_back(net::Address::from(one->ai_addr, one->ai_addrlen));
  if (found) ares_freeaddrinfo(found);
}

/// Waits for the library's sockets until the reply has come or `until` has passed.
void wait(ares_channel channel, const Outcome& outcome, TimePoint until) {
  while (!outcome.done && SteadyClock::now() < until) {
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    const int wanted = ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
    pollfd states[ARES_GETSOCK_MAXNUM];
    nfds_t count = 0;
    for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
      const bool read = ARES_GETSOCK_READABLE(wanted, i), write = ARES_GETSOCK_WRITABLE(wanted, i);
      if (!read && !write) continue;
      states[count++] = {sockets[i], static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0)), 0};
    }
    timeval max{1, 0}, next{};
    const timeval* soon = ares_timeout(channel, &max, &next);
    ::poll(states, count, static_cast<int>(soon->tv_sec * 1000 + soon->tv_usec / 1000 + 1));
    // With no socket it looks at its timers.
    ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    for (nfds_t i = 0; i < count; ++i)
      ares_process_fd(channel,
                      states[i].revents & (POLLIN | POLLERR | POLLHUP) ? states[i].fd : ARES_SOCKET_BAD,
                      states[i].revents & POLLOUT ? states[i].fd : ARES_SOCKET_BAD);
  }
}

}  // namespace

Result<std::vector<net::Address>> resolve_host(const std::string& host, std::uint16_t port,
                                               Duration timeout) {
  if (const auto address = net::Address::parse_ip(host, port)) return std::vector{*address};
  static const int library = ares_library_init(ARES_LIB_INIT_ALL);
  ares_channel channel = nullptr;
  const int opened = library == ARES_SUCCESS ? ares_init(&channel) : library;
  Outcome outcome;
  if (opened == ARES_SUCCESS) {
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(channel, host.c_str(), nullptr, &hints, take, &outcome);
    wait(channel, outcome, SteadyClock::now() + timeout);
    ares_destroy(channel);
  } else {
    outcome.status = opened;
  }
  if (outcome.addresses.empty())
    return fail(
        Error::config(Code::kNotFound, "cannot resolve '" + host + "': " + ares_strerror(outcome.status)));
  for (net::Address& each : outcome.addresses) each = each.with_port(port);
  return std::move(outcome.addresses);
}

}  // namespace weft::store

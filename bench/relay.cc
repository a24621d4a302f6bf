// A bare TCP relay: the least a proxy can cost. One thread, epoll, one upstream connection for each client
// connection.
//   relay LISTEN_PORT UPSTREAM_PORT
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace {

struct Side {
  int fd;
  Side* other;
};

int make_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return fd;
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<unsigned short>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void watch(int epoll, Side* side) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = side;
  epoll_ctl(epoll, EPOLL_CTL_ADD, side->fd, &event);
}

void accept_one(int epoll, int listener, int upstream_port) {
  const int client = accept(listener, nullptr, nullptr);
  if (client < 0) return;
  const int on = 1;
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int upstream = make_socket();
  const sockaddr_in to = loopback(upstream_port);
  if (connect(upstream, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    close(client);
    close(upstream);
    return;
  }
  auto* one = new Side{client, nullptr};
  auto* two = new Side{upstream, one};
  one->other = two;
  watch(epoll, one);
  watch(epoll, two);
}

void relay(Side* from) {
  if (from->fd < 0) return;
  char buffer[16384];
  const ssize_t got = read(from->fd, buffer, sizeof buffer);
  if (got <= 0) {
    // The pair's memory is kept: an event for the other side may be in the same batch. The number is not: the
    // next connection may have it.
    if (from->other->fd >= 0) shutdown(from->other->fd, SHUT_RDWR);
    close(from->fd);
    from->fd = -1;
    return;
  }
  for (ssize_t done = 0; done < got;) {
    const ssize_t sent = send(from->other->fd, buffer + done, static_cast<size_t>(got - done), MSG_NOSIGNAL);
    if (sent <= 0) return;
    done += sent;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: relay LISTEN_PORT UPSTREAM_PORT\n");
    return 2;
  }
  const int listener = make_socket();
  const sockaddr_in at = loopback(std::atoi(argv[1]));
  if (bind(listener, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 || listen(listener, 1024) != 0) {
    std::perror("relay");
    return 1;
  }
  const int epoll = epoll_create1(0);
  Side front{listener, nullptr};
  watch(epoll, &front);
  epoll_event events[64];
  for (;;) {
    const int count = epoll_wait(epoll, events, 64, -1);
    for (int i = 0; i < count; ++i) {
      auto* side = static_cast<Side*>(events[i].data.ptr);
      if (side == &front)
        accept_one(epoll, listener, std::atoi(argv[2]));
      else
        relay(side);
    }
  }
}

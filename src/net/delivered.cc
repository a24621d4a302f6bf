#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>

#include "net/socket.h"

namespace weft::net {

bool delivered(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return true;
  if (size < offsetof(tcp_info, tcpi_bytes_retrans) + sizeof info.tcpi_bytes_retrans) return true;
  // The first byte that was acknowledged is the SYN's.
  return info.tcpi_bytes_acked > info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
}

}  // namespace weft::net

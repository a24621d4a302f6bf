#include "capture/netlink_outcome.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace weft::capture {

std::optional<int> netlink_outcome(std::span<const char> received) {
  while (received.size() >= sizeof(nlmsghdr)) {
    nlmsghdr head;
    std::memcpy(&head, received.data(), sizeof head);
    if (head.nlmsg_len < sizeof head || head.nlmsg_len > received.size()) break;
    if (head.nlmsg_type == NLMSG_ERROR && head.nlmsg_len >= NLMSG_LENGTH(sizeof(int))) {
      int error = 0;
      std::memcpy(&error, received.data() + NLMSG_HDRLEN, sizeof error);
      // The kernel gives errno values as negative numbers.
      return error > 0 || error == INT_MIN ? EPROTO : -error;
    }
    received = received.subspan(std::min<std::size_t>(NLMSG_ALIGN(head.nlmsg_len), received.size()));
  }
  return std::nullopt;
}

}  // namespace weft::capture

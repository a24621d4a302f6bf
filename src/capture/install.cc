#include "capture/install.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include "capture/netfilter_message.h"

namespace weft::capture {
namespace {

struct Socket {
  int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  ~Socket() {
    if (fd >= 0) ::close(fd);
  }
};

Error failure(int number) {
  const Code code = number == EPERM || number == EACCES ? Code::kDenied
                    : number == ENOENT || number == EPROTONOSUPPORT || number == EOPNOTSUPP
                        ? Code::kUnsupported
                        : Code::kInternal;
  return Error::internal(
      code, "traffic redirection: nf_tables: " + errno_text(number) +
                (code == Code::kUnsupported ? " (the kernel needs nf_tables with nat and redir)" : ""));
}

/// How many messages of the answer acknowledge; or the first error that the kernel names.
Result<int> count_acknowledged(std::span<const char> answer) {
  int acknowledged = 0;
  while (answer.size() >= sizeof(nlmsghdr)) {
    nlmsghdr head;
    std::memcpy(&head, answer.data(), sizeof head);
    if (head.nlmsg_len < sizeof head || head.nlmsg_len > answer.size()) break;
    if (head.nlmsg_type == NLMSG_ERROR && head.nlmsg_len >= NLMSG_LENGTH(sizeof(int))) {
      int error = 0;
      std::memcpy(&error, answer.data() + NLMSG_HDRLEN, sizeof error);
      if (error != 0) return fail(failure(-error));
      ++acknowledged;
    }
    answer = answer.subspan(std::min<std::size_t>(NLMSG_ALIGN(head.nlmsg_len), answer.size()));
  }
  return acknowledged;
}

}  // namespace

Result<void> install(const Redirection& redirection) {
  const std::vector<Rule> rules = rules_of(redirection);
  const std::string batch = to_netlink(rules);
  const Socket socket;
  if (socket.fd < 0) return fail(failure(errno));
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(socket.fd, batch.data(), batch.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
               sizeof kernel) < 0)
    return fail(failure(errno));
  // The table, two chains and each rule are acknowledged, or one of them is an error.
  for (int missing = static_cast<int>(rules.size()) + 3; missing > 0;) {
    std::array<char, 32 * 1024> answer;
    const ssize_t got = ::recv(socket.fd, answer.data(), answer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(failure(errno));
    WEFT_TRY(const int acknowledged,
             count_acknowledged(std::span(answer).first(static_cast<std::size_t>(got))));
    missing -= acknowledged;
  }
  return {};
}

}  // namespace weft::capture

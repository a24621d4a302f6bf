#include "local/network_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>

namespace weft::local {
namespace {

constexpr const char* kOwn = "/proc/thread-self/ns/net";

net::Fd open_own() { return net::Fd(::open(kOwn, O_RDONLY | O_CLOEXEC)); }

std::unexpected<Error> failed(const char* doing) {
  const int number = errno;
  return fail(Error::internal(number == EPERM ? Code::kDenied : Code::kInternal,
                              std::string(doing) + " a network namespace: " + errno_text(number)));
}

}  // namespace

Result<NetworkNamespace> NetworkNamespace::create() {
  const net::Fd home = open_own();
  if (!home) return failed("finding");
  if (::unshare(CLONE_NEWNET) != 0) return failed("making");
  NetworkNamespace made;
  made.fd_ = open_own();
  const int open_error = errno;
  // Staying in the pod's namespace by accident would put everything after this in the wrong network.
  WEFT_ASSERT(::setns(home.get(), CLONE_NEWNET) == 0);
  errno = open_error;
  if (!made.fd_) return failed("opening");
  struct stat about{};
  if (::fstat(made.fd_.get(), &about) != 0) return failed("looking at");
  made.inode_ = about.st_ino;
  return made;
}

Result<NetworkNamespace::Inside> NetworkNamespace::Inside::enter(const NetworkNamespace& which) {
  net::Fd home = open_own();
  if (!home) return failed("finding");
  if (::setns(which.fd(), CLONE_NEWNET) != 0) return failed("entering");
  return Inside(std::move(home));
}

NetworkNamespace::Inside::~Inside() {
  if (home_) WEFT_ASSERT(::setns(home_.get(), CLONE_NEWNET) == 0);
}

}  // namespace weft::local

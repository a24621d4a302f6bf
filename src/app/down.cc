#include "app/down.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "app/wait_for_end.h"
#include "local/instance_record.h"
#include "net/socket.h"

namespace weft::app {
namespace {

constexpr std::chrono::seconds kLimit{30}, kAfterKill{5};

}  // namespace

Result<bool> stop_instance(const std::string& state_dir) {
  const auto record = local::read_record(state_dir);
  if (!record) return false;
  const net::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, record->pid, 0)));
  // Looked at after it is held: the number cannot change hands any more.
  if (!process || !record->alive()) {
    local::remove_record(state_dir);
    return false;
  }
  if (::kill(record->pid, SIGTERM) != 0)
    return fail(Error::config(Code::kDenied, "the supervisor, process " + std::to_string(record->pid) + ": " +
                                                 errno_text(errno) + "; run it as the user of 'weft up'"));
  if (!wait_for_end(process.get(), kLimit)) {
    ::kill(record->pid, SIGKILL);
    wait_for_end(process.get(), kAfterKill);
    local::remove_record(state_dir);
  }
  return true;
}

}  // namespace weft::app

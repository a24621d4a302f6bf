#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/loop.h"
#include "net/signal_watch.h"
#include "net/socket.h"

namespace weft::local {

/// A file or folder that a process sees at another place: in its own mount namespace, nowhere else.
struct Mount {
  std::string from, to;
  bool read_only = false;
};

/// Both ends close on exec.
struct Pipe {
  net::Fd read, write;
};
Result<Pipe> make_pipe();

/// What a process is to be.
struct ProcessSpec {
  std::vector<std::string> arguments;  ///< program and arguments; without '/' it is looked up in PATH
  std::map<std::string, std::string> environment;  ///< all of it
  std::string directory;                           ///< empty: "/"
  std::string log_file;                            ///< standard output and error are appended to it
  int network = -1;                                ///< namespace descriptor; -1: the supervisor's
  int mount_namespace = -1;                        ///< joins this one instead of making its own
  std::string host_name;                           ///< not empty: what gethostname(2) says to it
  std::vector<Mount> mounts;                       ///< not empty: a mount namespace of its own
  std::string scratch;                             ///< a folder for what mount points need that are not there
  std::int64_t user = -1, group = -1;              ///< -1: as the supervisor
  std::vector<int> inherited;                      ///< descriptors that it gets under the same numbers
};

struct StartedProcess {
  pid_t pid = -1;
  std::uint64_t start_time = 0;  ///< field 22 of /proc/<pid>/stat
  net::Fd error_pipe;            ///< what kept it from being executed can be read here once it has ended
  net::Fd mounts;                ///< for take_mount_namespace()
};

/// Forks and executes. `before_exec` runs in the parent while the child waits to be let go: what it tells
/// others about the process is known before the process can ask. Errors: kExhausted. That the program is not
/// there is known only when it has ended: exit code 127 and a text in `error_pipe`.
Result<StartedProcess> start_process(const ProcessSpec& spec,
                                     const std::function<void(const StartedProcess&)>& before_exec = {});

/// The text in `error_pipe`; empty when the program was executed.
std::string read_error_pipe(const net::Fd& error_pipe);

/// The mount namespace that was made for the process, once, however soon it ended: whatever it left behind
/// lives there. There when `error_pipe` can be read or has been closed. Nothing: it has none of its own.
net::Fd take_mount_namespace(const net::Fd& mounts);

/// SIGKILL to a process of start_process() that has not been reaped, and to what it started and what has not
/// left its process group: it leads one of its own.
void kill_group(pid_t leader);

/// Takes the ends of all processes, those of others that were left to us too, and tells who waits for them.
///
/// Owner: process 1 of the instance. Thread: the loop's. How it ends: with the loop; start() comes before
/// the first process.
class Reaper {
 public:
  /// `status` is that of waitpid.
  using OnEnd = std::function<void(int status)>;
  explicit Reaper(net::Loop& loop) : signals_(loop, [this](int) { take_ends(); }) {}
  Result<void> start();
  void expect(pid_t pid, OnEnd on_end) { waiting_[pid] = std::move(on_end); }
  void forget(pid_t pid) { waiting_.erase(pid); }

 private:
  void take_ends();

  net::SignalWatch signals_;
  std::map<pid_t, OnEnd> waiting_;
};

/// Field 22 of /proc/<pid>/stat: with the number it names a process for good. 0: there is none.
std::uint64_t process_start_time(pid_t pid);

/// Processes whose namespace of a kind ("net", "mnt") is `inode`: those of a pod or a container, however
/// often they forked.
std::vector<pid_t> processes_in_namespace(const std::string& kind, std::uint64_t inode);

}  // namespace weft::local

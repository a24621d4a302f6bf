#include "cli/instance.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <thread>

#include "base/time.h"
#include "local/instance_record.h"
#include "net/socket.h"

namespace weft::cli {
namespace {

constexpr Duration kRestartLimit = 5s;
constexpr auto kLookAgain = 20ms;

bool accepts(const net::Address& at) {
  const net::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return fd && ::connect(fd.get(), at.data(), at.size()) == 0;
}

}  // namespace

Result<net::Address> reach_instance(const StateDirectory& state, const std::string& instance) {
  WEFT_TRY(const net::Address at, net::Address::unix_path(state.api_socket()));
  const TimePoint limit = SteadyClock::now() + kRestartLimit;
  for (;;) {
    if (accepts(at)) return at;
    if (errno == EACCES || errno == EPERM)
      return fail(Error::config(Code::kDenied,
                                state.api_socket() + " belongs to another user: " + errno_text(errno)));
    if (state.supervisor() == 0 || SteadyClock::now() >= limit) break;
    std::this_thread::sleep_for(kLookAgain);
  }
  if (state.supervisor() != 0)
    return fail(Error::upstream(
        Code::kRefused, Retry::kNever,
        "the control plane of instance \"" + instance + "\" does not respond at " + state.api_socket()));
  const std::string others = running_instances(state);
  return fail(Error::config(Code::kRefused, "no mesh is running as instance \"" + instance + "\" (" +
                                                state.path() + "); " + (others.empty() ? "" : others + "; ") +
                                                "start one with 'weft up" + name_option(instance) + "'"));
}

std::string name_option(const std::string& instance) {
  const char* chosen = std::getenv("WEFT_INSTANCE");
  const std::string meant = chosen != nullptr && *chosen != '\0' ? chosen : "default";
  return instance == meant ? "" : " --name " + instance;
}

std::string running_instances(const StateDirectory& state) {
  std::set<std::string> running;
  std::error_code error;
  const auto base = std::filesystem::path(state.path()).parent_path();
  for (std::filesystem::directory_iterator entry(base, error), end; !error && entry != end;
       entry.increment(error)) {
    const auto record = local::read_record(entry->path().string());
    if (record && record->alive()) running.insert(entry->path().filename().string());
  }
  std::string names;
  for (const std::string& name : running) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "" : "running here: " + names + " (choose one with --name)";
}

}  // namespace weft::cli

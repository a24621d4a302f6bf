#include "cli/sidecar_admin.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "cli/run.h"
#include "http/client.h"
#include "net/socket.h"

namespace weft::cli {
namespace {

constexpr std::uint16_t kAdminPort = 15000;

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

Result<std::string> fetch_here(const AdminRequest& asked) {
  net::Loop loop;
  WEFT_TRY(const net::Address at, net::Address::parse_ip("127.0.0.1", kAdminPort));
  http::Request request;
  request.method = asked.method;
  request.path = asked.path;
  http::FetchOptions options;
  options.deadline = SteadyClock::now() + asked.limit;
  WEFT_TRY(http::Response response, run(loop, http::fetch(loop, at, std::move(request), options)));
  if (response.head.status != 200)
    return fail(Error::upstream(
        Code::kUnavailable, Retry::kNever,
        "the sidecar responds " + std::to_string(response.head.status) + " to " + asked.path));
  return std::move(response.body);
}

/// The child's whole life: the response goes into `out`, after one byte that says whether it is one.
[[noreturn]] void ask_inside(int ns, int out, const AdminRequest& request) {
  if (::setns(ns, CLONE_NEWNET) != 0) {
    write_all(out, "-the pod's network cannot be entered: " + errno_text(errno) +
                       "; run this as the user of 'weft up'");
    ::_exit(1);
  }
  const auto response = fetch_here(request);
  write_all(out, response ? "+" : "-");
  write_all(out, response ? *response : response.error().text);
  ::_exit(0);
}

}  // namespace

Result<int> find_sidecar(const std::string& pod_directory) {
  int found = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    int pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size())
      continue;
    std::ifstream file(entry->path() / "cmdline", std::ios::binary);
    const std::string line((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    // A launcher that has not executed the proxy yet has the same arguments; the proxy is the later process.
    if (line.find(pod_directory + "/bootstrap") != line.npos && pid > found) found = pid;
  }
  if (found == 0)
    return fail(Error::config(Code::kNotFound, "no sidecar runs with a bootstrap in " + pod_directory));
  return found;
}

Result<std::string> ask_sidecar(int pid, const AdminRequest& request) {
  const std::string name = "/proc/" + std::to_string(pid) + "/ns/net";
  const net::Fd ns(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!ns)
    return fail(Error::config(Code::kDenied,
                              name + ": " + errno_text(errno) + "; run this as the user of 'weft up'"));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return fail(Error::internal(Code::kExhausted, "pipe: " + errno_text(errno)));
  const net::Fd in(ends[0]);
  net::Fd out(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return fail(Error::internal(Code::kExhausted, "fork: " + errno_text(errno)));
  if (child == 0) ask_inside(ns.get(), out.get(), request);
  out.reset();
  const std::string response = net::read_to_end(in.get());
  ::waitpid(child, nullptr, 0);
  if (response.empty())
    return fail(
        Error::internal(Code::kInternal, "the process that asked the sidecar ended without a result"));
  if (response[0] == '-') return fail(Error::upstream(Code::kUnavailable, Retry::kNever, response.substr(1)));
  return response.substr(1);
}

}  // namespace weft::cli

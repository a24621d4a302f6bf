#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "cli/command.h"
#include "cli/find_pod.h"
#include "cli/json_path.h"
#include "cli/log_times.h"
#include "cli/sidecar_admin.h"
#include "cli/standard_output.h"
#include "net/socket.h"

namespace weft::cli {
namespace {

constexpr std::string_view kSidecar = "istio-proxy";
constexpr int kLookAtLeastEveryMs = 1000;
constexpr Duration kFlushLimit = 3s;
constexpr std::size_t kBlock = 64 * 1024;

std::vector<std::string> containers_of(const api::Object& pod) {
  std::vector<std::string> names;
  for (std::string_view list : {"spec.containers", "spec.initContainers", "status.containerStatuses"}) {
    for (const api::Json& container : list_at(pod.body, list)) {
      std::string name = text_at(container, "name");
      if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    }
  }
  return names;
}

Result<std::string> choose_container(const Context& context, const api::Object& pod,
                                     const std::string& wanted) {
  const std::vector<std::string> names = containers_of(pod);
  if (!wanted.empty()) {
    if (std::ranges::find(names, wanted) != names.end()) return wanted;
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return fail(Error::config(Code::kNotFound, "container " + wanted + " is not in pod " +
                                                   std::string(pod.name()) + "; it has " + text));
  }
  if (const std::string_view given = pod.annotation("kubectl.kubernetes.io/default-container");
      !given.empty())
    return std::string(given);
  std::vector<std::string> applications = names;
  std::erase(applications, kSidecar);
  if (applications.empty()) return std::string(kSidecar);
  if (applications.size() > 1) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    context.note("Defaulted container \"" + applications.front() + "\" out of: " + text + "\n");
  }
  return applications.front();
}

/// Sidecars write the lines of their access log together, some tens of milliseconds late. One that cannot be
/// asked, because it has ended or hangs, has written what it will.
void flush_sidecar(const Context& context, const api::Object& pod) {
  const auto pid = find_sidecar(context.state.pod_directory(pod.ns(), pod.name()));
  if (pid) (void)ask_sidecar(*pid, {.path = "/logging?flush", .method = "POST", .limit = kFlushLimit});
}

/// A log file being printed, and followed across its being replaced or cut. Blocks; ends with its pod, whose
/// folder goes when its last process has ended, and with the instance.
class LogFile {
 public:
  LogFile(const Context& context, std::string path, std::string pod_folder)
      : context_(context), path_(std::move(path)), pod_folder_(std::move(pod_folder)) {}

  Result<void> open() {
    file_ = net::Fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file_) return fail(Error::config(Code::kNotFound, path_ + ": " + errno_text(errno)));
    return {};
  }

  /// Of the lines since a time, the last so many. False when the file says no times.
  Result<bool> print(std::optional<WallTime> since, std::optional<std::uint64_t> lines) {
    const LogPosition from = since ? position_since(file_.get(), *since) : LogPosition{};
    const off_t tail = lines ? start_of_last(*lines) : 0;
    ::lseek(file_.get(), std::max(from.at, tail), SEEK_SET);
    WEFT_CHECK(print_rest());
    return from.known;
  }

  Result<void> follow() {
    const net::Fd changes(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    const std::string folder = path_.substr(0, path_.rfind('/'));
    const std::uint32_t kinds = IN_MODIFY | IN_CREATE | IN_MOVED_TO;
    const bool watching = changes && ::inotify_add_watch(changes.get(), folder.c_str(), kinds) >= 0;
    if (watching) ::inotify_add_watch(changes.get(), pod_folder_.c_str(), IN_DELETE_SELF);
    for (;;) {
      // Looked at before the last lines are read: nothing is written after it is gone.
      const bool over = ::access(pod_folder_.c_str(), F_OK) != 0 || context_.state.supervisor() == 0;
      WEFT_CHECK(print_rest());
      WEFT_CHECK(standard_output_written());
      if (over) return {};
      if (reopen_if_replaced()) continue;
      pollfd waiting{watching ? changes.get() : -1, POLLIN, 0};
      ::poll(&waiting, 1, watching ? kLookAtLeastEveryMs : kLookAtLeastEveryMs / 4);
      char events[4096];
      while (watching && ::read(changes.get(), events, sizeof events) > 0) continue;
    }
  }

 private:
  Result<void> print_rest() {
    char block[kBlock];
    for (;;) {
      const ssize_t got = ::read(file_.get(), block, sizeof block);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(Error::internal(Code::kInternal, path_ + ": " + errno_text(errno)));
      if (got == 0) return {};
      context_.console.out_log(std::string_view(block, static_cast<std::size_t>(got)));
    }
  }

  /// Where the last `lines` lines begin, read from the end backwards.
  off_t start_of_last(std::uint64_t lines) const {
    off_t at = ::lseek(file_.get(), 0, SEEK_END);
    const off_t end = at;
    std::uint64_t seen = 0;
    char block[kBlock];
    while (at > 0) {
      const off_t from = std::max<off_t>(0, at - static_cast<off_t>(sizeof block));
      const ssize_t got = ::pread(file_.get(), block, static_cast<std::size_t>(at - from), from);
      if (got <= 0) return at;
      for (ssize_t i = got; i-- > 0;) {
        if (block[i] != '\n' || from + i + 1 == end) continue;
        if (++seen == lines) return from + i + 1;
      }
      at = from;
    }
    return lines == 0 ? end : 0;
  }

  /// True when there is another beginning to read from.
  bool reopen_if_replaced() {
    struct stat open_one{}, named{};
    if (::fstat(file_.get(), &open_one) != 0 || ::stat(path_.c_str(), &named) != 0) return false;
    if (open_one.st_ino != named.st_ino) {
      net::Fd next(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
      if (!next) return false;
      file_ = std::move(next);
      return true;
    }
    return named.st_size < ::lseek(file_.get(), 0, SEEK_CUR) && ::lseek(file_.get(), 0, SEEK_SET) == 0;
  }

  const Context& context_;
  std::string path_, pod_folder_;
  net::Fd file_;
};

net::Task<Result<std::vector<api::ObjectPtr>>> pods_of(const Context& context, const LogsOptions& options) {
  if (options.selector.empty()) {
    WEFT_CO_TRY(api::ObjectPtr pod, co_await find_pod(context, options.resource));
    co_return std::vector<api::ObjectPtr>{std::move(pod)};
  }
  store::Query query{.kind = api::find_kind_by_name("pods"),
                     .ns = context.global.ns,
                     .label_selector = options.selector,
                     .name = ""};
  WEFT_CO_TRY(store::List found, co_await context.store.list(std::move(query)));
  co_return std::move(found.items);
}

net::Task<CommandResult> print_one(const Context& context, const LogsOptions& options, const api::Object& pod,
                                   const std::string& container) {
  LogFile file(context, context.state.log_file(pod.ns(), pod.name(), container),
               context.state.pod_directory(pod.ns(), pod.name()));
  if (auto opened = file.open(); !opened)
    co_return fail(
        Error::config(Code::kNotFound, "container \"" + container + "\" of pod \"" + std::string(pod.name()) +
                                           "\" has printed nothing yet (" + opened.error().text + ")"));
  if (container == kSidecar) flush_sidecar(context, pod);
  WEFT_CO_TRY(const bool has_times, file.print(options.since, options.tail));
  if (!has_times)
    context.note("the lines of container " + container +
                 " say no times: its log is as old as its last line\n");
  if (options.follow) WEFT_CO_CHECK(file.follow());
  co_return Exit::kDone;
}

}  // namespace

net::Task<CommandResult> logs(const Context& context, const LogsOptions& options) {
  WEFT_CO_TRY(const std::vector<api::ObjectPtr> pods, co_await pods_of(context, options));
  if (pods.empty()) context.note("No pods found in " + context.global.ns + " namespace.\n");
  if (options.previous)
    context.note(
        "a container's log goes on over its restarts: what it printed before the last one is in it\n");
  for (const api::ObjectPtr& pod : pods) {
    std::vector<std::string> containers = containers_of(*pod);
    if (!options.all_containers) {
      WEFT_CO_TRY(std::string chosen, choose_container(context, *pod, options.container));
      containers = {std::move(chosen)};
    }
    const bool several = pods.size() > 1 || containers.size() > 1;
    for (const std::string& container : containers) {
      auto printed = co_await print_one(context, options, *pod, container);
      if (!printed && !several) co_return printed;
      if (!printed) context.note(printed.error().text + "\n");
    }
  }
  co_return Exit::kDone;
}

}  // namespace weft::cli

#include "local/control_process.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "base/backoff.h"
#include "base/log.h"
#include "http/client.h"

namespace weft::local {
namespace {

constexpr Backoff::Limits kBackoff{.initial = 20ms, .max = 5s};
constexpr Duration kForgivenAfter = 10s;
/// A control plane that a signal ended may be an accident; one that ended itself said why.
constexpr int kMaxKills = 3;
constexpr std::uint64_t kLastBytes = 4096;

/// What a line of the control plane's log says of an error, without time and level: "cannot serve …". Empty:
/// nothing.
std::string error_in(std::string_view line) {
  constexpr std::string_view kProgram = "weft control: ", kRoom = "control: ";
  if (line.starts_with(kProgram)) return std::string(line.substr(kProgram.size()));
  const auto level = line.find(' ');
  const std::string_view rest = level == line.npos ? "" : line.substr(level + 1);
  for (const std::string_view calm : {"info ", "debug ", "trace "})
    if (rest.starts_with(calm)) return "";
  for (const std::string_view loud : {"error ", "warning ", "warn "}) {
    if (!rest.starts_with(loud)) continue;
    const std::string_view said = rest.substr(loud.size());
    return std::string(said.starts_with(kRoom) ? said.substr(kRoom.size()) : said);
  }
  return std::string(line);
}

}  // namespace

ControlProcess::ControlProcess(net::Loop& loop, Reaper& reaper, Registrar& registrar, Options options)
    : loop_(loop), reaper_(reaper), registrar_(registrar), options_(std::move(options)), ended_(loop) {}

void ControlProcess::start() {
  tasks_.spawn(run());
  tasks_.spawn(watch());
}

net::Task<bool> ControlProcess::is_there() {
  const auto at = net::Address::unix_path(options_.state_dir + "/api.sock");
  if (!at) co_return true;
  http::Request request;
  request.path = "/healthz";
  http::FetchOptions options;
  options.deadline = loop_.now() + options_.ask_every;
  const auto response = co_await http::fetch(loop_, *at, std::move(request), options);
  // One that does not listen yet is reading its objects, however many they are.
  co_return response || response.error().code == Code::kRefused;
}

net::Task<void> ControlProcess::watch() {
  for (int silent = 0; !stopping_;) {
    co_await loop_.sleep(options_.ask_every);
    const pid_t asked = pid_;
    if (!responded_ || asked <= 0 || co_await is_there() || asked != pid_) {
      silent = 0;
    } else if (++silent >= options_.silent_at_most && !stopping_) {
      WEFT_LOG(kError, "local", "the control plane does not respond and is killed", {"pid", asked},
               {"questions", silent});
      ::kill(asked, SIGKILL);
      silent = 0;
    }
  }
}

net::Task<void> ControlProcess::run() {
  Backoff backoff(kBackoff);
  while (!stopping_) {
    const TimePoint began = loop_.now();
    if (const auto launched = launch(); !launched)
      WEFT_LOG(kError, "local", "the control plane cannot be started", {"error", launched.error().text});
    else
      co_await ended_.wait();
    if (stopping_) co_return;
    if (is_hopeless()) {
      failed_ = true;
      co_return;
    }
    if (loop_.now() - began > kForgivenAfter) backoff.reset();
    WEFT_LOG(kWarn, "local", "the control plane has ended and is started again", {"log", log_file()});
    co_await loop_.sleep(backoff.next());
  }
}

Result<void> ControlProcess::launch() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(Error::internal(Code::kExhausted, "the registration channel: " + errno_text(errno)));
  net::Fd ours(ends[0]), theirs(ends[1]);
  ProcessSpec spec;
  spec.arguments = {options_.program,   "control",           "--state-dir",
                    options_.state_dir, "--registration-fd", std::to_string(theirs.get())};
  spec.environment = {{"PATH", "/usr/bin:/bin"}};
  spec.log_file = log_file();
  std::error_code error;
  const auto size = std::filesystem::file_size(log_file(), error);
  log_begins_ = error ? 0 : size;
  spec.inherited = {theirs.get()};
  ended_.clear();
  WEFT_TRY(const StartedProcess started, start_process(spec));
  // With their end open here, too, the channel would never tell that the process has ended.
  theirs.reset();
  pid_ = started.pid;
  reaper_.expect(pid_, [this](int status) {
    WEFT_LOG(kInfo, "local", "the control plane has ended", {"status", status});
    pid_ = 0;
    status_ = status;
    ended_.set();
  });
  registrar_.use(std::move(ours));
  return {};
}

bool ControlProcess::is_hopeless() {
  if (responded_ || pid_ > 0) return false;
  return WIFEXITED(status_) || ++ends_ >= kMaxKills;
}

std::string ControlProcess::last_error() const {
  std::ifstream file(log_file(), std::ios::binary);
  std::error_code error;
  const auto size = std::filesystem::file_size(log_file(), error);
  if (!file || error) return "it wrote nothing";
  file.seekg(static_cast<std::streamoff>(std::max(log_begins_, size > kLastBytes ? size - kLastBytes : 0)));
  std::string line, last;
  while (std::getline(file, line))
    if (std::string said = error_in(line); !said.empty()) last = std::move(said);
  if (!last.empty()) return last;
  return WIFSIGNALED(status_)
             ? "signal " + std::to_string(WTERMSIG(status_)) + " ended it"
             : "it ended with code " + std::to_string(WEXITSTATUS(status_)) + " and wrote nothing";
}

net::Task<Result<void>> ControlProcess::ready() {
  const auto at = net::Address::unix_path(options_.state_dir + "/api.sock");
  while (at) {
    const auto socket =
        co_await net::connect(loop_, *at, {.deadline = loop_.now() + 1s, .bind_source = {}, .mark = 0});
    responded_ = responded_ || socket.has_value();
    if (responded_) co_return Result<void>{};
    if (failed_)
      co_return fail(Error::internal(
          Code::kUnavailable, "the control plane cannot start: " + last_error() + " (" + log_file() + ")"));
    co_await loop_.sleep(1ms);
  }
  co_return std::unexpected(at.error());
}

net::Task<void> ControlProcess::stop(Duration grace) {
  stopping_ = true;
  if (pid_ <= 0) co_return;
  ::kill(pid_, SIGTERM);
  if (co_await ended_.wait_until(loop_.now() + grace)) co_return;
  ::kill(pid_, SIGKILL);
  co_await ended_.wait();
}

}  // namespace weft::local

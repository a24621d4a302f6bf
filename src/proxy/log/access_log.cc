#include "proxy/log/access_log.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/log.h"

namespace weft::proxy {
namespace {

constexpr std::size_t kWriteAt = 32 * 1024;
constexpr std::size_t kMostBuffered = 1024 * 1024;
constexpr Duration kWriteWithin = 100ms;

}  // namespace

Result<AccessLogs> AccessLogs::compile(const std::vector<AccessLogConfig>& configs) {
  AccessLogs result;
  for (const AccessLogConfig& config : configs) {
    Log log;
    log.path = config.path;
    WEFT_TRY(log.format,
             LogFormat::compile(config.format.empty() ? kDefaultLogFormat : std::string_view(config.format)));
    log.filtered = config.filter_by_flags;
    for (const std::string& name : config.only_with_flags) {
      const std::optional<Flag> flag = flag_named(name);
      if (!flag)
        return fail(
            Error::config(Code::kInvalid, "access log filter: there is no response flag '" + name + "'"));
      log.only_with |= static_cast<std::uint32_t>(*flag);
    }
    if (log.filtered && log.only_with == 0) log.only_with = ~std::uint32_t{0};
    result.logs_.push_back(std::move(log));
  }
  return result;
}

LogWriter::~LogWriter() {
  flush();
  for (auto& [path, file] : files_)
    if (file.fd >= 0) ::close(file.fd);
}

LogWriter::File& LogWriter::file(const std::string& path) {
  if (const auto found = files_.find(path); found != files_.end()) return found->second;
  File& file = files_[path];
  // /dev/stdout may be a pipe or socket that cannot be opened by that name.
  if (path == "/dev/stdout")
    file.fd = ::dup(STDOUT_FILENO);
  else if (path == "/dev/stderr")
    file.fd = ::dup(STDERR_FILENO);
  else
    file.fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (file.fd < 0)
    WEFT_LOG(kError, "access-log", "cannot open", {"path", path}, {"error", errno_text(errno)});
  return file;
}

void LogWriter::write(const AccessLogs& logs, const RequestInfo& info) {
  for (const AccessLogs::Log& log : logs.logs()) {
    if (log.filtered && !info.flags.any_of(log.only_with)) continue;
    File& to = file(log.path);
    log.format.append_to(to.buffer, info);
    if (to.buffer.size() >= kWriteAt)
      write_out(to);
    else if (!timer_.armed())
      timer_.arm(loop_.now() + kWriteWithin);
  }
}

void LogWriter::flush() {
  for (auto& [path, file] : files_) write_out(file);
}

/// A log that nobody reads must not stop the data plane: what does not fit in a pipe waits, up to a limit,
/// then is lost.
void LogWriter::write_out(File& file) {
  std::size_t done = 0;
  while (file.fd >= 0 && done < file.buffer.size()) {
    const ssize_t wrote = ::write(file.fd, file.buffer.data() + done, file.buffer.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) break;
    done += static_cast<std::size_t>(wrote);
  }
  file.buffer.erase(0, done);
  if (file.fd < 0 || file.buffer.size() > kMostBuffered) file.buffer.clear();
  if (file.buffer.empty() && file.buffer.capacity() > 2 * kWriteAt) file.buffer.shrink_to_fit();
}

}  // namespace weft::proxy

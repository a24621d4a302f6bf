#include "proxy/log/access_log.h"

#include <cerrno>
#include <utility>

#include "base/log.h"

namespace weft::proxy {
namespace {

constexpr std::size_t kWriteAt = 32 * 1024;
constexpr std::size_t kMaxBuffered = 1024 * 1024;
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

LogWriter::~LogWriter() { flush(); }

LogWriter::File& LogWriter::file(const std::string& path) {
  const auto found = files_.find(path);
  return found != files_.end() ? found->second : files_.try_emplace(path, path).first->second;
}

void LogWriter::write(const AccessLogs& logs, const RequestInfo& info) {
  for (const AccessLogs::Log& log : logs.logs()) {
    if (log.filtered && !info.flags.any_of(log.only_with)) continue;
    File& to = file(log.path);
    if (to.buffer.size() >= kMaxBuffered) {
      ++dropped_;
      continue;
    }
    log.format.append_to(to.buffer, info);
    if (to.buffer.size() >= kWriteAt && !to.stuck) write_out(log.path, to);
    if (!to.buffer.empty() && !timer_.armed()) timer_.arm(loop_.now() + kWriteWithin);
  }
}

void LogWriter::flush() {
  for (auto& [path, file] : files_) {
    if (!file.buffer.empty()) write_out(path, file);
    if (!file.buffer.empty() && !timer_.armed()) timer_.arm(loop_.now() + kWriteWithin);
  }
}

void LogWriter::write_out(const std::string& path, File& file) {
  file.buffer.erase(0, file.output.write(file.buffer));
  const int error = file.output.error();
  file.stuck = error != 0;
  if (error != 0 && error != EAGAIN && !std::exchange(file.reported, true))
    WEFT_LOG(kError, "access-log", "cannot write", {"path", path}, {"error", errno_text(error)});
  if (file.buffer.empty() && file.buffer.capacity() > 2 * kWriteAt) file.buffer.shrink_to_fit();
}

}  // namespace weft::proxy

#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/log_output.h"
#include "net/loop.h"
#include "proxy/config.h"
#include "proxy/log/format.h"

namespace weft::proxy {

/// Access logs of one listener or connection manager with their formats compiled. Immutable; any thread.
class AccessLogs {
 public:
  struct Log {
    std::string path;
    LogFormat format;
    std::uint32_t only_with = 0;  ///< bits of Flag; used when `filtered`
    bool filtered = false;
  };
  /// Errors name the format's operator or the flag that is not known.
  static Result<AccessLogs> compile(const std::vector<AccessLogConfig>& configs);
  const std::vector<Log>& logs() const { return logs_; }

 private:
  std::vector<Log> logs_;
};

/// Writes the lines of one worker. Lines are gathered and written when 32 KiB are there or 100 ms have
/// passed; each line goes out whole. Writing never waits: what is not taken is kept, up to 1 MiB a log,
/// and the lines beyond that are dropped and counted.
///
/// Owner: a worker. Thread: its loop. How it ends: the destructor writes what is left and is taken at once.
class LogWriter {
 public:
  explicit LogWriter(net::Loop& loop) : timer_(loop, [this] { flush(); }), loop_(loop) {}
  ~LogWriter();
  void write(const AccessLogs& logs, const RequestInfo& info);
  void flush();
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct File {
    explicit File(const std::string& path) : output(path) {}
    log::LogOutput output;
    std::string buffer;
    bool stuck = false;     ///< the last write took less than all: the timer tries again
    bool reported = false;  ///< that it cannot be written
  };
  File& file(const std::string& path);
  void write_out(const std::string& path, File& file);

  std::map<std::string, File, std::less<>> files_;
  net::Timer timer_;
  net::Loop& loop_;
  std::uint64_t dropped_ = 0;
};

}  // namespace weft::proxy

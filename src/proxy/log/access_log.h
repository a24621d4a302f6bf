#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

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

/// Writes the lines of one worker. Lines are gathered and written with one call when 32 KiB are there or 100
/// ms have passed; each line goes out whole, since files are opened for appending.
///
/// Owner: a worker. Thread: its loop. How it ends: the destructor writes what is left.
class LogWriter {
 public:
  explicit LogWriter(net::Loop& loop) : timer_(loop, [this] { flush(); }), loop_(loop) {}
  ~LogWriter();
  void write(const AccessLogs& logs, const RequestInfo& info);
  void flush();

 private:
  struct File {
    int fd = -1;
    std::string buffer;
  };
  File& file(const std::string& path);
  static void write_out(File& file);

  std::map<std::string, File, std::less<>> files_;
  net::Timer timer_;
  net::Loop& loop_;
};

}  // namespace weft::proxy

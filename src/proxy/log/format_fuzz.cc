#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/log/format.h"

/// Any text as a log format: rejected, or it writes a line for a request and for a TCP connection.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto format = weft::proxy::LogFormat::compile(text);
  if (!format) return 0;
  weft::http::RequestHead request;
  request.method = "GET";
  request.path = "/a?b";
  request.headers.add("x-token", "1");
  weft::proxy::ConnectionInfo connection;
  weft::proxy::RequestInfo info;
  info.connection = &connection;
  std::string line;
  format->append_to(line, info);
  info.request = &request;
  format->append_to(line, info);
  return 0;
}

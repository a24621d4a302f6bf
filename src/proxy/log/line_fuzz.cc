#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "proxy/log/format.h"
#include "proxy/routing/header_mutation.h"

/// Any text as an access log's format and as a header's value, filled in for a request whose fields are the
/// text itself. A format without line ends gives one line, whatever the request holds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  const std::string text(reinterpret_cast<const char*>(data), size);
  auto format = proxy::LogFormat::compile(text);
  if (!format) {
    WEFT_ASSERT(!format.error().text.empty());
    return 0;
  }
  http::RequestHead request;
  request.method = "GET";
  request.path = "/" + text;
  request.authority = text;
  request.headers.add("user-agent", text);
  http::ResponseHead response;
  response.headers.add("a", text);
  proxy::RequestInfo info;
  info.request = &request;
  info.response = &response;
  info.missing_cluster = text;
  info.upstream_failure = text;
  info.upstream_host = "10.0.0.1:80";
  info.started_at = std::chrono::system_clock::time_point(std::chrono::seconds(size));
  std::string line;
  format->append_to(line, info);
  if (text.find('\n') == text.npos) WEFT_ASSERT(line.find('\n') == line.npos);
  proxy::HeaderChanges changes;
  changes.add.push_back({.name = "x-a", .value = text});
  auto mutation = proxy::HeaderMutation::compile(changes);
  WEFT_ASSERT(mutation.has_value());
  mutation->apply(request.headers, info);
  return 0;
}

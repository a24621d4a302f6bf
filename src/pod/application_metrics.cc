#include "pod/application_metrics.h"

#include <charconv>

#include "api/json_text.h"
#include "base/strings.h"
#include "pod/application_call.h"

namespace weft::pod {
namespace {

using api::Json;

constexpr std::size_t kMaxBytes = 4 * 1024 * 1024;
constexpr std::string_view kDefaultPort = "80";

std::string text_in(const Json& object, const char* name, std::string_view fallback) {
  const auto found = object.find(name);
  return std::string(found != object.end() && found->is_string() ? found->get<std::string>() : fallback);
}

}  // namespace

Result<std::optional<ApplicationMetrics>> ApplicationMetrics::parse(std::string_view json,
                                                                    const net::Address& pod) {
  if (json.empty()) return std::nullopt;
  const Json all = api::parse_json(json);
  const auto rejected = [](std::string_view what) {
    return fail(Error::config(Code::kInvalid,
                              "environment variable ISTIO_PROMETHEUS_ANNOTATIONS: " + std::string(what)));
  };
  if (!all.is_object())
    return rejected("has to be a JSON object, not \"" + std::string(cut(json, 100)) + "\"");
  if (text_in(all, "scrape", "false") != "true") return std::nullopt;
  const std::string port = text_in(all, "port", kDefaultPort);
  unsigned number = 0;
  const char* const end = port.data() + port.size();
  if (std::from_chars(port.data(), end, number).ptr != end || number == 0 || number > 65535)
    return rejected("port: \"" + port + "\" is not a port");
  ApplicationMetrics made;
  made.at = pod.with_port(static_cast<std::uint16_t>(number));
  made.path = text_in(all, "path", made.path);
  if (!made.path.starts_with('/')) made.path.insert(0, "/");
  return made;
}

net::Task<Result<std::string>> ApplicationMetrics::fetch(net::Loop& loop, TimePoint deadline) const {
  http::Request request;
  request.path = path;
  request.authority = at.to_string();
  request.headers.add("accept", "text/plain;version=0.0.4");
  request.headers.add("connection", "close");
  http::FetchOptions options;
  options.deadline = deadline;
  WEFT_CO_TRY(auto call, co_await call_application(loop, at, std::move(request), options));
  if (call->head().status != 200)
    co_return fail(Error::upstream(Code::kUnavailable, Retry::kNever,
                                   "the response is " + std::to_string(call->head().status)));
  WEFT_CO_TRY(std::string text, co_await read_body(*call, kMaxBytes, false));
  if (!text.empty() && !text.ends_with('\n')) text.push_back('\n');
  co_return text;
}

}  // namespace weft::pod

#include "local/probe.h"

#include "api/json_text.h"
#include "capture/redirection.h"
#include "local/json.h"

namespace weft::local {
namespace {

const std::uint32_t kMark = capture::kProbeMark;

template <class T>
net::Task<void> keep(net::Task<T> task, std::optional<T>& into) {
  into.emplace(co_await task);
}

/// Starts `task` inside the namespace and waits for it outside: what makes its socket at once makes it there.
template <class T>
net::Task<T> started_inside(const NetworkNamespace& space, net::Task<T> task) {
  std::optional<T> result;
  net::TaskScope scope;
  {
    auto inside = NetworkNamespace::Inside::enter(space);
    if (!inside) co_return std::unexpected(std::move(inside).error());
    scope.spawn(keep(std::move(task), result));
  }
  co_await scope.join();
  co_return std::move(*result);
}

net::Task<Result<void>> connect_once(net::Loop& loop, net::Address to, Duration limit) {
  auto socket =
      co_await net::connect(loop, to, {.deadline = loop.now() + limit, .bind_source = {}, .mark = kMark});
  if (!socket) co_return std::unexpected(std::move(socket).error());
  co_return Result<void>{};
}

Result<std::uint16_t> port_of(const api::Json& action, const api::Json& container) {
  const api::Json& port = json::at(action, "port");
  if (port.is_number_integer()) {
    const std::int64_t number = api::json_integer(action, "port", 0, 1, 65535);
    if (number != 0) return static_cast<std::uint16_t>(number);
    return fail(
        Error::config(Code::kInvalid, "the probe's port " + api::json_text(port) + " is not 1 to 65535"));
  }
  for (const api::Json& candidate : json::list(container, "ports"))
    if (json::string(candidate, "name") == json::string(action, "port"))
      return static_cast<std::uint16_t>(json::number(candidate, "containerPort", 0));
  return fail(Error::config(Code::kInvalid, "the probe's port \"" + json::string(action, "port") +
                                                "\" is not a port of the container"));
}

Result<net::Address> address_of(const ProbeTarget& target, const api::Json& action) {
  WEFT_TRY(const std::uint16_t port, port_of(action, target.container));
  const std::string host = json::string(action, "host");
  return net::Address::parse_ip(host.empty() ? target.pod_ip : host, port);
}

net::Task<Result<void>> try_http(const ProbeTarget& target, const api::Json& action, Duration limit) {
  WEFT_CO_TRY(const net::Address to, address_of(target, action));
  http::Request request;
  request.path = json::string(action, "path");
  if (request.path.empty()) request.path = "/";
  request.authority = to.to_string();
  for (const api::Json& header : json::list(action, "httpHeaders")) {
    if (const std::string name = json::string(header, "name"); name == "Host" || name == "host")
      request.authority = json::string(header, "value");
    else
      request.headers.add(name, json::string(header, "value"));
  }
  const std::string path = request.path;
  WEFT_CO_TRY(const int status,
              co_await http_status(target.loop, target.space, to, std::move(request), limit));
  if (status >= 200 && status < 400) co_return Result<void>{};
  co_return fail(Error::upstream(Code::kUnavailable, Retry::kNever,
                                 "GET " + path + " responds " + std::to_string(status)));
}

net::Task<Result<void>> try_exec(const ProbeTarget& target, const api::Json& action, Duration limit) {
  std::vector<std::string> arguments;
  for (const api::Json& argument : json::list(action, "command"))
    arguments.push_back(argument.is_string() ? argument.get<std::string>() : api::json_text(argument));
  WEFT_CO_TRY(const int code, co_await target.exec(std::move(arguments), limit));
  if (code == 0) co_return Result<void>{};
  co_return fail(
      Error::upstream(Code::kUnavailable, Retry::kNever, "the command ends with " + std::to_string(code)));
}

net::Task<Result<int>> status_of(net::Loop& loop, net::Address to, http::Request request, Duration limit) {
  http::FetchOptions options;
  options.deadline = loop.now() + limit;
  options.max_body = 1024 * 1024;
  options.mark = kMark;
  WEFT_CO_TRY(const http::Response response, co_await http::fetch(loop, to, std::move(request), options));
  co_return response.head.status;
}

}  // namespace

net::Task<Result<int>> http_status(net::Loop& loop, const NetworkNamespace& space, net::Address to,
                                   http::Request request, Duration limit) {
  co_return co_await started_inside(space, status_of(loop, to, std::move(request), limit));
}

net::Task<Result<void>> accepts(net::Loop& loop, const NetworkNamespace& space, net::Address to,
                                Duration limit) {
  co_return co_await started_inside(space, connect_once(loop, to, limit));
}

net::Task<Result<void>> try_probe(ProbeTarget target, const api::Json& probe) {
  const Duration limit = std::chrono::seconds(json::number(probe, "timeoutSeconds", 1));
  if (probe.contains("httpGet")) co_return co_await try_http(target, json::at(probe, "httpGet"), limit);
  if (probe.contains("exec")) co_return co_await try_exec(target, json::at(probe, "exec"), limit);
  const api::Json& action = json::at(probe, "tcpSocket");
  WEFT_CO_TRY(const net::Address to, address_of(target, action));
  co_return co_await accepts(target.loop, target.space, to, limit);
}

}  // namespace weft::local

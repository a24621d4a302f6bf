#include "pod/commands.h"

#include <optional>
#include <string>

#include "base/strings.h"
#include "http/client.h"
#include "net/loop.h"
#include "net/task.h"

namespace weft::pod {
namespace {

constexpr Duration kPeriod = 100ms;
constexpr Duration kResponseLimit = 500ms;
constexpr Duration kDrainLimit = 2s;
constexpr std::size_t kMaxBody = 64 * 1024;

/// Runs one task to its end on a loop of its own.
Result<void> run(net::Loop& loop, net::Task<Result<void>> task) {
  std::optional<Result<void>> outcome;
  const auto keep = [](net::Loop& on, net::Task<Result<void>> inner,
                       std::optional<Result<void>>& into) -> net::Task<void> {
    into = co_await inner;
    on.stop();
  };
  net::TaskScope scope;
  scope.spawn(keep(loop, std::move(task), outcome));
  if (!outcome) loop.run();
  return std::move(*outcome);
}

net::Task<Result<void>> ask(net::Loop& loop, std::uint16_t port, http::Request request, TimePoint deadline) {
  WEFT_CO_TRY(const net::Address at, net::Address::parse_ip("127.0.0.1", port));
  http::FetchOptions options;
  options.deadline = deadline;
  options.max_body = kMaxBody;
  WEFT_CO_TRY(const http::Response response, co_await http::fetch(loop, at, std::move(request), options));
  if (response.head.status == 200) co_return Result<void>{};
  co_return fail(
      Error::upstream(Code::kUnavailable, Retry::kNever,
                      std::to_string(response.head.status) + " " + std::string(trim(response.body))));
}

net::Task<Result<void>> ask_until_ready(net::Loop& loop, std::uint16_t port, Duration limit) {
  const TimePoint end = loop.now() + limit;
  for (;;) {
    const TimePoint next = loop.now() + kPeriod;
    const Result<void> heard =
        co_await ask(loop, port, {.path = "/healthz/ready"}, std::min(end, loop.now() + kResponseLimit));
    if (heard) co_return heard;
    if (loop.now() + kPeriod >= end)
      co_return fail(Error::upstream(Code::kTimeout, Retry::kNever,
                                     "the proxy is not ready; last heard: " + heard.error().text));
    co_await loop.sleep_until(std::max(next, loop.now()));
  }
}

}  // namespace

Result<void> wait_until_ready(std::uint16_t health_port, std::chrono::milliseconds limit) {
  net::Loop loop;
  return run(loop, ask_until_ready(loop, health_port, limit));
}

Result<void> ask_to_drain(std::uint16_t status_port) {
  net::Loop loop;
  return run(loop, ask(loop, status_port, {.method = "POST", .path = "/drain"}, loop.now() + kDrainLimit));
}

}  // namespace weft::pod

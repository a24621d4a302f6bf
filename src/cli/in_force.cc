#include "cli/in_force.h"

#include <array>
#include <utility>

#include "cli/json_path.h"

namespace weft::cli {
namespace {

/// Longer than the control plane's own wait, so that its answer says who is missing.
constexpr Duration kGrace = 5s;

std::string why(const api::Json& proxy) {
  for (std::string_view name : {"reason", "error", "message"})
    if (std::string text = text_at(proxy, name); !text.empty()) return ": " + text;
  return "";
}

std::string who(const api::Json& proxy) {
  if (proxy.is_string()) return proxy.get<std::string>();
  for (std::string_view name : {"proxy", "pod", "id", "name"})
    if (std::string text = text_at(proxy, name); !text.empty()) return text;
  return "a proxy";
}

std::string lines_of(const api::Json& proxies, std::string_view what) {
  std::string text;
  for (const api::Json& proxy : proxies) text += who(proxy) + " " + std::string(what) + why(proxy) + "\n";
  return text;
}

std::string complaint(const api::Json& body) {
  return lines_of(list_at(body, "refused"), "refused the change and keeps what it had") +
         lines_of(list_at(body, "missing"), "has not confirmed the change");
}

}  // namespace

net::Task<CommandResult> wait_until_in_force(const Context& context, std::uint64_t version,
                                             std::chrono::seconds timeout) {
  Progress progress(context, "waiting until every proxy runs the change");
  std::string path = "applied?resourceVersion=" + std::to_string(version) +
                     "&timeoutSeconds=" + std::to_string(timeout.count());
  auto answer = co_await context.mesh.get(std::move(path), timeout + kGrace);
  if (!answer) co_return std::unexpected(std::move(answer).error());
  if (answer->status == 404) co_return Exit::kDone;
  const std::string text = complaint(answer->body);
  if (answer->status == 200 && text.empty()) co_return Exit::kDone;
  if (!text.empty()) {
    context.note(text);
  } else if (answer->status == 504) {
    context.note("after " + std::to_string(timeout.count()) +
                 " s not every proxy has confirmed the change; see 'weft proxy-status'\n");
  } else {
    co_return fail(Error::upstream(Code::kUnavailable, Retry::kNever,
                                   "the control plane answers " + std::to_string(answer->status) + " " +
                                       text_at(answer->body, "message")));
  }
  co_return Exit::kFailed;
}

}  // namespace weft::cli

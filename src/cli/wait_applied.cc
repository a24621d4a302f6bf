#include "cli/wait_applied.h"

#include <utility>

#include "cli/json_path.h"

namespace weft::cli {
namespace {

/// Longer than the control plane's own wait, so that its response says which proxy is missing.
constexpr Duration kGrace = 5s;

/// {"rejected": [{proxy, reason}], "missing": [{proxy}], "message"} as lines; empty when nothing of it is
/// there.
std::string complaint(const api::Json& body) {
  std::string text;
  for (const api::Json& proxy : list_at(body, "rejected"))
    text += text_at(proxy, "proxy") +
            " rejected the change and keeps what it had: " + text_at(proxy, "reason") + "\n";
  for (const api::Json& proxy : list_at(body, "missing"))
    text += text_at(proxy, "proxy") + " has not confirmed the change\n";
  if (const std::string message = text_at(body, "message"); !message.empty()) text += message + "\n";
  return text;
}

std::string applied_path(std::uint64_t version, std::chrono::seconds timeout) {
  return "applied?resourceVersion=" + std::to_string(version) +
         "&timeoutSeconds=" + std::to_string(timeout.count());
}

}  // namespace

net::Task<void> let_settle(const Context& context, std::uint64_t version, std::chrono::seconds timeout) {
  Progress progress(context, "waiting until every proxy runs what is stored");
  static_cast<void>(co_await context.mesh.get(applied_path(version, timeout), timeout + kGrace));
}

net::Task<std::uint64_t> present_version(const Context& context) {
  // Of any kind: a list's version is the store's.
  store::Query query{
      .kind = api::find_kind("v1", "Namespace"), .ns = "", .label_selector = "", .name = "default"};
  const auto list = co_await context.store.list(std::move(query));
  co_return list ? list->resource_version : 0;
}

net::Task<CommandResult> wait_until_applied(const Context& context, std::uint64_t version,
                                            std::chrono::seconds timeout, std::uint64_t since) {
  Progress progress(context, "waiting until every proxy runs the change");
  std::string path = applied_path(version, timeout);
  if (since != 0 && since < version) path += "&since=" + std::to_string(since);
  auto response = co_await context.mesh.get(std::move(path), timeout + kGrace);
  if (!response) co_return std::unexpected(std::move(response).error());
  if (response->status == 404) co_return Exit::kDone;
  if (response->status == 200) co_return Exit::kDone;
  if (response->status != 409 && response->status != 504)
    co_return fail(Error::upstream(Code::kUnavailable, Retry::kNever,
                                   "the control plane responds " + std::to_string(response->status) + " " +
                                       text_at(response->body, "message")));
  context.note(complaint(response->body));
  context.note(
      "the change is stored and not applied everywhere" +
      (response->status == 504 ? " after " + std::to_string(timeout.count()) + " s" : std::string()) +
      "; see 'weft proxy-status'\n");
  co_return Exit::kFailed;
}

}  // namespace weft::cli

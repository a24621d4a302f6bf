#include <algorithm>
#include <utility>

#include "base/text_table.h"
#include "cli/command.h"
#include "cli/find_pod.h"
#include "cli/json_path.h"
#include "cli/output.h"
#include "store/remote_store.h"

namespace weft::cli {
namespace {

constexpr Duration kForEver = std::chrono::hours(24);
constexpr std::string_view kTypes[] = {"CDS", "LDS", "EDS", "RDS"};

const api::Json& type_of(const api::Json& proxy, std::string_view type) {
  return at(at(proxy, "types"), type);
}

std::string state_of(const api::Json& type) {
  const api::Json& sent = at(type, "sent");
  if (sent.is_null() || sent == 0) return "NOT SENT";
  if (at(type, "acked") == sent) return "SYNCED";
  return at(type, "nacked") == sent ? "REJECTED" : "STALE";
}

std::string name_of(const api::Json& proxy) {
  const std::string pod = text_at(proxy, "pod"), ns = text_at(proxy, "namespace");
  if (pod.empty()) return text_at(proxy, "id");
  return ns.empty() || pod.find('.') != pod.npos ? pod : pod + "." + ns;
}

/// After the columns are laid out: colours have no width.
std::string paint_states(const Console& console, std::string text) {
  for (const auto& [state, colour] :
       {std::pair{"SYNCED", Colour::kGreen}, std::pair{"STALE", Colour::kYellow},
        std::pair{"REJECTED", Colour::kRed}, std::pair{"NOT SENT", Colour::kDim}}) {
    const std::string before = " " + std::string(state), after = " " + paint(console, colour, state);
    for (auto at = text.find(before); at != text.npos; at = text.find(before, at + after.size()))
      text.replace(at, before.size(), after);
  }
  return text;
}

}  // namespace

net::Task<CommandResult> proxy_status(const Context& context, const ProxyStatusOptions& options) {
  const std::chrono::seconds limit = context.global.request_timeout;
  auto asked = co_await context.mesh.get("proxies", limit.count() > 0 ? Duration(limit) : kForEver);
  if (!asked && asked.error().code == Code::kTimeout)
    asked.error().text = std::string(store::kNoResponse) + ": " + asked.error().text;
  WEFT_CO_TRY(const MeshApi::Response response, std::move(asked));
  if (response.status != 200)
    co_return fail(Error::upstream(
        Code::kUnavailable, Retry::kNever,
        "the control plane responds " + std::to_string(response.status) + " when asked for its proxies"));
  api::Json proxies = api::Json::array();
  std::string wanted = options.proxy;
  if (wanted.find('/') != wanted.npos) {
    WEFT_CO_TRY(const api::ObjectPtr pod, co_await find_pod(context, wanted));
    wanted = std::string(pod->name()) + "." + std::string(pod->ns());
  }
  for (const api::Json& proxy : response.body.is_array() ? response.body : list_at(response.body, "proxies"))
    if (wanted.empty() || text_at(proxy, "pod") == wanted || name_of(proxy) == wanted)
      proxies.push_back(proxy);
  if (!wanted.empty() && proxies.empty())
    co_return fail(Error::config(Code::kNotFound, "no proxy \"" + wanted + "\" is connected"));
  std::ranges::sort(proxies.get_ref<api::Json::array_t&>(), {}, name_of);
  if (prints_values(options.output)) {
    WEFT_CO_TRY(const std::string text, print_value(proxies, options.output));
    context.console.out_value(text);
    co_return Exit::kDone;
  }
  if (proxies.empty()) context.note("No proxy is connected.\n");
  TextTable table({"NAME", "CDS", "LDS", "EDS", "RDS"});
  std::string reasons;
  for (const api::Json& proxy : proxies) {
    std::vector<std::string> row{name_of(proxy)};
    for (std::string_view type : kTypes) {
      const api::Json& state = type_of(proxy, type);
      row.push_back(state_of(state));
      if (row.back() == "REJECTED")
        reasons += name_of(proxy) + " rejected " + std::string(type) + ": " + text_at(state, "reason") + "\n";
    }
    table.add(std::move(row));
  }
  if (!proxies.empty()) context.out(paint_states(context.console, table.take()));
  if (!reasons.empty()) context.out("\n" + reasons);
  co_return Exit::kDone;
}

}  // namespace weft::cli

#include "cli/command.h"
#include "cli/config_tables.h"
#include "cli/find_pod.h"
#include "cli/output.h"
#include "cli/sidecar_admin.h"

namespace weft::cli {

net::Task<CommandResult> proxy_config(const Context& context, const ProxyConfigOptions& options) {
  std::string pod = options.pod;
  for (std::string_view type : {"pod/", "pods/", "po/"})
    if (pod.starts_with(type)) pod.erase(0, type.size());
  if (pod.find('/') != pod.npos) {
    WEFT_CO_TRY(const api::ObjectPtr found, co_await find_pod(context, pod));
    pod = std::string(found->name());
  }
  // Not by the API: a sidecar is asked even when the control plane is away.
  auto pid = find_sidecar(context.state.pod_directory(context.global.ns, pod));
  if (!pid) {
    const api::Key key{api::find_kind_by_name("pods"), context.global.ns, pod};
    auto object = co_await context.store.get(key);
    if (!object && object.error().code == Code::kNotFound) co_return fail(not_found(key));
    co_return std::unexpected(std::move(pid).error());
  }
  WEFT_CO_TRY(const std::string text, ask_sidecar(*pid, "/config_dump?include_eds"));
  const api::Json dump = api::Json::parse(text, nullptr, false);
  if (dump.is_discarded())
    co_return fail(Error::upstream(Code::kInvalid, Retry::kNever, "the sidecar's config_dump is no JSON"));
  const api::Json resources = resources_of(dump, options.what);
  if (!prints_values(options.output)) {
    context.out(config_table(resources, options.what));
    co_return Exit::kDone;
  }
  WEFT_CO_TRY(const std::string printed, print_value(resources, options.output));
  context.out(printed);
  co_return Exit::kDone;
}

}  // namespace weft::cli

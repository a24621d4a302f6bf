#include <filesystem>
#include <system_error>

#include "api/json_text.h"
#include "cli/command.h"
#include "cli/config_tables.h"
#include "cli/find_pod.h"
#include "cli/output.h"
#include "cli/sidecar_admin.h"

namespace weft::cli {
namespace {

struct PodPlace {
  std::string ns, name;
};

/// NAME, pod/NAME, NAME.NAMESPACE as proxy-status prints it, or the first pod of TYPE/NAME.
net::Task<Result<PodPlace>> place_of(const Context& context, std::string pod) {
  for (std::string_view type : {"pod/", "pods/", "po/"})
    if (pod.starts_with(type)) pod.erase(0, type.size());
  if (pod.find('/') != pod.npos) {
    WEFT_CO_TRY(const api::ObjectPtr found, co_await find_pod(context, pod));
    co_return PodPlace{std::string(found->ns()), std::string(found->name())};
  }
  const auto dot = pod.rfind('.');
  std::error_code ignored;
  const auto is_here = [&](const std::string& ns, const std::string& name) {
    return std::filesystem::exists(context.state.pod_directory(ns, name), ignored);
  };
  // A pod's own name may have dots.
  if (dot != pod.npos && !is_here(context.global.ns, pod) && is_here(pod.substr(dot + 1), pod.substr(0, dot)))
    co_return PodPlace{pod.substr(dot + 1), pod.substr(0, dot)};
  co_return PodPlace{context.global.ns, std::move(pod)};
}

}  // namespace

net::Task<CommandResult> proxy_config(const Context& context, const ProxyConfigOptions& options) {
  WEFT_CO_TRY(const PodPlace pod, co_await place_of(context, options.pod));
  // Not by the API: a sidecar is asked even when the control plane is away.
  auto pid = find_sidecar(context.state.pod_directory(pod.ns, pod.name));
  if (!pid) {
    const api::Key key{api::find_kind_by_name("pods"), pod.ns, pod.name};
    auto object = co_await context.store.get(key);
    if (!object && object.error().code == Code::kNotFound) co_return fail(not_found(key));
    co_return std::unexpected(std::move(pid).error());
  }
  AdminRequest request{.path = "/config_dump?include_eds"};
  if (context.global.request_timeout.count() > 0) request.limit = context.global.request_timeout;
  auto fetched = ask_sidecar(*pid, request);
  if (!fetched) co_return fail(std::move(fetched).error().with_context("the sidecar of pod " + pod.name));
  const std::string text = std::move(*fetched);
  const api::Json dump = api::parse_json(text);
  if (dump.is_discarded())
    co_return fail(Error::upstream(Code::kInvalid, Retry::kNever, "the sidecar's config_dump is not JSON"));
  const ConfigFilter filter{options.names.empty() ? "" : options.names.back(), options.port, options.fqdn};
  const api::Json resources = filtered(resources_of(dump, options.what), options.what, filter);
  if (!prints_values(options.output)) {
    context.out(config_table(resources, options.what));
    co_return Exit::kDone;
  }
  WEFT_CO_TRY(const std::string printed, print_value(resources, options.output));
  context.console.out_value(printed);
  co_return Exit::kDone;
}

}  // namespace weft::cli

#include "local/sidecar.h"

#include <charconv>

#include "api/json_text.h"
#include "base/strings.h"
#include "capture/redirection.h"
#include "http/client.h"
#include "local/json.h"
#include "local/probe.h"

namespace weft::local {
namespace {

constexpr std::uint16_t kAdminPort = 15000;
constexpr int kDefaultConcurrency = 2;
constexpr Duration kReadyPeriod = 2s;
constexpr Duration kReadyLimit = 1s;
constexpr std::string_view kIngressAddress = "0.0.0.0:8080";

net::Task<Result<void>> ask_ready(net::Loop& loop, const NetworkNamespace& space) {
  http::Request request;
  request.path = "/ready";
  WEFT_CO_TRY(const net::Address at, net::Address::parse_ip("127.0.0.1", kAdminPort));
  WEFT_CO_TRY(const int status, co_await http_status(loop, space, at, std::move(request), kReadyLimit));
  if (status == 200) co_return Result<void>{};
  co_return fail(Error::upstream(Code::kUnavailable, Retry::kNever, "the proxy waits for its configuration"));
}

Result<ProcessSpec> our_proxy(const Host& host, const api::Object& pod, const SidecarIdentity& identity,
                              const std::string& bootstrap) {
  ProcessSpec spec;
  spec.arguments = {host.proxy_program,
                    "-c",
                    bootstrap,
                    "--concurrency",
                    std::to_string(proxy_concurrency(pod)),
                    "--socket-mark",
                    std::to_string(capture::kSidecarMark)};
  if (identity.gateway && host.ingress_fd >= 0) {
    spec.arguments.insert(spec.arguments.end(), {"--inherit-listener", std::string(kIngressAddress) + "=" +
                                                                           std::to_string(host.ingress_fd)});
    spec.inherited.push_back(host.ingress_fd);
  }
  return spec;
}

/// Another proxy cannot mark its sockets: the capture rules know it by its group.
Result<ProcessSpec> their_proxy(const api::Object& pod, std::string_view command,
                                const std::string& bootstrap) {
  auto arguments = split_arguments(command);
  if (!arguments || arguments->empty())
    return fail(
        Error::config(Code::kInvalid, "annotation weft.dev/proxy-command: " +
                                          (arguments ? std::string("is empty") : arguments.error().text)));
  arguments->insert(arguments->end(),
                    {"-c", bootstrap, "--concurrency", std::to_string(proxy_concurrency(pod))});
  ProcessSpec spec;
  spec.arguments = std::move(*arguments);
  spec.group = capture::kSidecarId;
  return spec;
}

}  // namespace

int proxy_concurrency(const api::Object& pod) {
  for (const std::string_view line : split(pod.annotation("proxy.istio.io/config"), '\n')) {
    std::string_view text = trim(line);
    constexpr std::string_view kKey = "concurrency:";
    const auto at = text.find(kKey);
    if (at == text.npos) continue;
    text = trim(text.substr(at + kKey.size()));
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    if (value > 0 && value <= 64) return value;
  }
  return kDefaultConcurrency;
}

std::string bootstrap_text(const SidecarIdentity& identity, const std::string& xds_socket, bool delta) {
  using api::Json;
  const std::string id = std::string(identity.gateway ? "router" : "sidecar") + "~" + identity.ip + "~" +
                         identity.pod + "." + identity.ns + "~" + identity.ns + ".svc.cluster.local";
  const Json ads = {{"resource_api_version", "V3"}, {"ads", Json::object()}};
  const Json http2 = {
      {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
       {{"@type", "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"},
        {"explicit_http_config", {{"http2_protocol_options", Json::object()}}}}}};
  const Json endpoint = {{"endpoint", {{"address", {{"pipe", {{"path", xds_socket}}}}}}}};
  const Json cluster = {{"name", "xds-grpc"},
                        {"type", "STATIC"},
                        {"connect_timeout", "1s"},
                        {"typed_extension_protocol_options", http2},
                        {"load_assignment",
                         {{"cluster_name", "xds-grpc"},
                          {"endpoints", Json::array({{{"lb_endpoints", Json::array({endpoint})}}})}}}};
  Json bootstrap = {
      {"node", {{"id", id}, {"cluster", identity.app + "." + identity.ns}}},
      {"admin", {{"address", {{"socket_address", {{"address", "127.0.0.1"}, {"port_value", kAdminPort}}}}}}}};
  bootstrap["dynamic_resources"] = {
      {"lds_config", ads},
      {"cds_config", ads},
      {"ads_config",
       {{"api_type", delta ? "DELTA_GRPC" : "GRPC"},
        {"transport_api_version", "V3"},
        {"grpc_services", Json::array({{{"envoy_grpc", {{"cluster_name", "xds-grpc"}}}}})}}}};
  bootstrap["static_resources"] = {{"clusters", Json::array({cluster})}};
  return api::json_text(bootstrap, 1) + "\n";
}

Container::Plan sidecar_plan(const Host& host, const api::Object& pod, const PodInterface& interface,
                             const SidecarIdentity& identity, std::vector<Mount> mounts,
                             std::function<void()> on_change) {
  const std::string_view command = pod.annotation("weft.dev/proxy-command");
  const std::string folder = host.state_dir + "/pods/" + identity.ns + "_" + identity.pod;
  Container::Plan plan;
  plan.name = kSidecarName;
  plan.image = command.empty() ? "weft-proxy" : std::string(command.substr(0, command.find(' ')));
  plan.backoff = {.limits = {.initial = 100ms, .max = 5s}, .reset_after = 10s};
  plan.process = [&host, &pod, &interface, identity, command, folder,
                  mounts = std::move(mounts)]() -> Result<ProcessSpec> {
    const std::string bootstrap = folder + "/bootstrap.json";
    WEFT_TRY(ProcessSpec spec, command.empty() ? our_proxy(host, pod, identity, bootstrap)
                                               : their_proxy(pod, command, bootstrap));
    spec.environment = {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                        {"POD_NAME", identity.pod},
                        {"POD_NAMESPACE", identity.ns}};
    spec.log_file = host.state_dir + "/logs/" + identity.ns + "_" + identity.pod + "/" +
                    std::string(kSidecarName) + ".log";
    spec.network = interface.space().fd();
    spec.host_name = host_name_of(identity.pod);
    spec.mounts = mounts;
    return spec;
  };
  plan.health = [&host, &interface] {
    HealthPlan health;
    health.readiness =
        Repeated{.check = [&host, &interface] { return ask_ready(host.loop, interface.space()); },
                 .initial_delay = {},
                 .period = kReadyPeriod};
    return health;
  };
  plan.before_exec = [&host, identity](const StartedProcess& process) {
    host.registrar.add(process.pid, process.start_time, identity.ns, identity.pod, identity.service_account);
  };
  plan.after_end = [&host](pid_t pid) { host.registrar.remove(pid); };
  plan.on_change = std::move(on_change);
  return plan;
}

}  // namespace weft::local

#include "cli/ask_cluster.h"

#include <algorithm>

#include "cli/run.h"
#include "store/kubernetes/cluster_version.h"

namespace weft::cli {
namespace {

/// Connecting to two addresses and two responses, none of which comes: about 2 s.
constexpr Duration kTimeout = 600ms;
constexpr std::size_t kMaxAddresses = 2;
constexpr const char* kSettingsPath = "/api/v1/namespaces/weft-system/configmaps/weft-injector";

std::string settings_in(const api::Json& config_map) {
  const auto data = config_map.find("data");
  if (data == config_map.end() || !data->is_object()) return {};
  const auto settings = data->find("settings");
  return settings == data->end() || !settings->is_string() ? std::string() : settings->get<std::string>();
}

}  // namespace

net::Task<Result<ClusterFacts>> ask_cluster(store::KubernetesStore& cluster) {
  ClusterFacts facts;
  facts.origin = cluster.client().access().origin;
  WEFT_CO_TRY(const store::ClusterVersion version, co_await store::cluster_version(cluster));
  facts.minor = version.minor;
  store::RawRequest request;
  request.path = kSettingsPath;
  const auto config_map = co_await cluster.call(std::move(request));
  if (config_map)
    facts.injector_settings = settings_in(*config_map);
  else if (config_map.error().code != Code::kNotFound)
    facts.note = "ConfigMap weft-system/weft-injector of " + facts.origin +
                 " could not be read, and has no say here: " + config_map.error().text;
  co_return facts;
}

Result<ClusterFacts> ask_current_cluster() {
  WEFT_TRY(store::ClusterAccess access, store::find_cluster_access());
  WEFT_TRY(std::vector<net::Address> addresses, store::resolve_host(access.host, access.port, kTimeout));
  addresses.resize(std::min(addresses.size(), kMaxAddresses));
  net::Loop loop;
  const store::ClientTimeouts timeouts{.connect = kTimeout, .answer = kTimeout, .max_backoff = 0s};
  WEFT_TRY(auto client, store::ApiClient::make(loop, std::move(access), std::move(addresses), timeouts));
  store::KubernetesStore cluster(loop, std::move(client));
  return run(loop, ask_cluster(cluster));
}

}  // namespace weft::cli

#include "install/foreign_kinds.h"

#include <algorithm>
#include <set>

#include "install/json_access.h"

namespace weft::install {
namespace {

constexpr ForeignKind kKinds[] = {
    {"security.istio.io", "AuthorizationPolicy", "authorizationpolicies", true},
    {"security.istio.io", "PeerAuthentication", "peerauthentications", true},
    {"security.istio.io", "RequestAuthentication", "requestauthentications", true},
    {"networking.istio.io", "ServiceEntry", "serviceentries"},
    {"networking.istio.io", "Sidecar", "sidecars"},
    {"networking.istio.io", "EnvoyFilter", "envoyfilters"},
    {"networking.istio.io", "ProxyConfig", "proxyconfigs"},
    {"networking.istio.io", "WorkloadEntry", "workloadentries"},
    {"networking.istio.io", "WorkloadGroup", "workloadgroups"},
    {"telemetry.istio.io", "Telemetry", "telemetries"},
    {"extensions.istio.io", "WasmPlugin", "wasmplugins"},
    {"extensions.istio.io", "TrafficExtension", "trafficextensions"},
    {"gateway.networking.k8s.io", "BackendTLSPolicy", "backendtlspolicies", true},
    {"gateway.networking.k8s.io", "GRPCRoute", "grpcroutes"},
    {"gateway.networking.k8s.io", "TLSRoute", "tlsroutes"},
    {"gateway.networking.k8s.io", "TCPRoute", "tcproutes"},
    {"gateway.networking.k8s.io", "UDPRoute", "udproutes"},
};

bool is_wanted_group(std::string_view group) {
  return std::ranges::any_of(kKinds, [&](const ForeignKind& kind) { return kind.group == group; });
}

std::string path_of(const api::Json& object, const std::string& version_path, const ForeignKind& kind) {
  return version_path + "/namespaces/" + namespace_of(object) + "/" + std::string(kind.plural) + "/" +
         name_of(object);
}

/// Looks through the versions that one group is served in, one after another.
class GroupSearch {
 public:
  GroupSearch(ClusterReader& reader, std::string group, std::vector<ForeignObject>& found)
      : reader_(reader), group_(std::move(group)), found_(found) {}

  net::Task<Result<void>> look_at(std::string version) {
    const std::string path = "/apis/" + group_ + "/" + version;
    WEFT_CO_TRY(const api::Json resources, co_await reader_.get(path));
    for (const api::Json& each : list_at(resources, {"resources"})) {
      const std::string plural = text_at(each, {"name"});
      const auto kind = std::ranges::find_if(
          kKinds, [&](const ForeignKind& one) { return one.group == group_ && one.plural == plural; });
      // The same objects are served in every version.
      if (kind == std::end(kKinds) || !seen_.insert(plural).second) continue;
      WEFT_CO_TRY(std::vector<api::Json> items, co_await reader_.list(path + "/" + plural));
      for (api::Json& item : items) {
        std::string at = path_of(item, path, *kind);
        found_.push_back({&*kind, std::move(at), std::move(item)});
      }
    }
    co_return Result<void>();
  }

 private:
  ClusterReader& reader_;
  std::string group_;
  std::vector<ForeignObject>& found_;
  std::set<std::string> seen_;
};

}  // namespace

std::span<const ForeignKind> foreign_kinds() { return kKinds; }

std::string ForeignObject::name() const { return namespace_of(body) + "/" + name_of(body); }

net::Task<Result<std::vector<ForeignObject>>> find_foreign_objects(ClusterReader& reader) {
  std::vector<ForeignObject> found;
  WEFT_CO_TRY(const api::Json groups, co_await reader.get("/apis"));
  for (const api::Json& group : list_at(groups, {"groups"})) {
    const std::string name = text_at(group, {"name"});
    if (!is_wanted_group(name)) continue;
    GroupSearch search(reader, name, found);
    for (const api::Json& version : list_at(group, {"versions"})) {
      std::string word = text_at(version, {"version"});
      WEFT_CO_CHECK(co_await search.look_at(std::move(word)));
    }
  }
  co_return found;
}

std::string foreign_text(const ForeignKind& kind) {
  std::string text =
      "weft does not do " + std::string(kind.kind) + ": it has no effect on pods with its sidecar";
  if (kind.guards) text += ", and what it forbids or demands is not enforced there";
  return text;
}

}  // namespace weft::install

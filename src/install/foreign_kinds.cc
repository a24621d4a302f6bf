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
  GroupSearch(ClusterReader& reader, std::string group, ForeignObjectsFound& found)
      : reader_(reader), group_(std::move(group)), found_(found) {}

  net::Task<void> look_at(std::string version) {
    const std::string path = "/apis/" + group_ + "/" + version;
    const auto resources = co_await reader_.get(path);
    if (!resources) {
      found_.unread.emplace(group_ + "/" + version, resources.error());
      co_return;
    }
    for (const api::Json& each : json::list(*resources, {"resources"})) {
      const std::string plural = json::string(each, {"name"});
      const auto kind = std::ranges::find_if(
          kKinds, [&](const ForeignKind& one) { return one.group == group_ && one.plural == plural; });
      // The same objects are served in every version.
      if (kind == std::end(kKinds) || !seen_.insert(plural).second) continue;
      auto items = co_await reader_.list(path + "/" + plural);
      if (!items) {
        found_.unread.emplace(plural + "." + group_, std::move(items).error());
        continue;
      }
      for (api::Json& item : *items) {
        std::string at = path_of(item, path, *kind);
        found_.objects.push_back({&*kind, std::move(at), std::move(item)});
      }
    }
  }

 private:
  ClusterReader& reader_;
  std::string group_;
  ForeignObjectsFound& found_;
  std::set<std::string> seen_;
};

}  // namespace

std::span<const ForeignKind> foreign_kinds() { return kKinds; }

std::string ForeignObject::name() const { return namespace_of(body) + "/" + name_of(body); }

net::Task<Result<ForeignObjectsFound>> find_foreign_objects(ClusterReader& reader) {
  ForeignObjectsFound found;
  WEFT_CO_TRY(const api::Json groups, co_await reader.get("/apis"));
  for (const api::Json& group : json::list(groups, {"groups"})) {
    const std::string name = json::string(group, {"name"});
    if (!is_wanted_group(name)) continue;
    GroupSearch search(reader, name, found);
    for (const api::Json& version : json::list(group, {"versions"})) {
      std::string served = json::string(version, {"version"});
      co_await search.look_at(std::move(served));
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

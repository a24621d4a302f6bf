#include <algorithm>
#include <array>

#include "api/object.h"
#include "base/strings.h"

namespace weft::api {
namespace {

constexpr std::string_view kDiscovery = "discovery.k8s.io";
constexpr std::string_view kNetworking = "networking.k8s.io";
constexpr std::string_view kIstio = "networking.istio.io";
constexpr std::string_view kGatewayApi = "gateway.networking.k8s.io";

// Two kinds are called Gateway: the name alone means the first of them, Istio's.
constexpr std::array<KindInfo, 18> kKinds = {{
    {"", "v1", "Namespace", "namespaces", "namespace", "ns", false},
    {"", "v1", "ServiceAccount", "serviceaccounts", "serviceaccount", "sa"},
    {"", "v1", "ConfigMap", "configmaps", "configmap", "cm"},
    {"", "v1", "Secret", "secrets", "secret", ""},
    {"", "v1", "Service", "services", "service", "svc"},
    {"", "v1", "Pod", "pods", "pod", "po"},
    {kDiscovery, "v1", "EndpointSlice", "endpointslices", "endpointslice", ""},
    {"apps", "v1", "Deployment", "deployments", "deployment", "deploy"},
    {"apps", "v1", "ReplicaSet", "replicasets", "replicaset", "rs"},
    {kNetworking, "v1", "Ingress", "ingresses", "ingress", "ing"},
    {kNetworking, "v1", "IngressClass", "ingressclasses", "ingressclass", "", false},
    {kIstio, "v1", "Gateway", "gateways", "gateway", "gw"},
    {kIstio, "v1", "VirtualService", "virtualservices", "virtualservice", "vs"},
    {kIstio, "v1", "DestinationRule", "destinationrules", "destinationrule", "dr"},
    {kGatewayApi, "v1", "GatewayClass", "gatewayclasses", "gatewayclass", "gc", false},
    {kGatewayApi, "v1", "Gateway", "gateways", "gateway", "gtw"},
    {kGatewayApi, "v1", "HTTPRoute", "httproutes", "httproute", ""},
    {kGatewayApi, "v1beta1", "ReferenceGrant", "referencegrants", "referencegrant", "refgrant"},
}};

struct OldVersion {
  std::string_view api_version;
  std::string_view kind;
  std::string_view group;
};

constexpr OldVersion kOldVersions[] = {
    {"extensions/v1beta1", "Deployment", "apps"},
    {"apps/v1beta1", "Deployment", "apps"},
    {"apps/v1beta2", "Deployment", "apps"},
    {"extensions/v1beta1", "ReplicaSet", "apps"},
    {"apps/v1beta2", "ReplicaSet", "apps"},
    {"extensions/v1beta1", "Ingress", kNetworking},
    {"networking.k8s.io/v1beta1", "Ingress", kNetworking},
    {"networking.k8s.io/v1beta1", "IngressClass", kNetworking},
    {"discovery.k8s.io/v1beta1", "EndpointSlice", kDiscovery},
    {"networking.istio.io/v1beta1", "Gateway", kIstio},
    {"networking.istio.io/v1beta1", "VirtualService", kIstio},
    {"networking.istio.io/v1beta1", "DestinationRule", kIstio},
    {"networking.istio.io/v1alpha3", "Gateway", kIstio},
    {"networking.istio.io/v1alpha3", "VirtualService", kIstio},
    {"networking.istio.io/v1alpha3", "DestinationRule", kIstio},
    {"gateway.networking.k8s.io/v1beta1", "GatewayClass", kGatewayApi},
    {"gateway.networking.k8s.io/v1beta1", "Gateway", kGatewayApi},
    {"gateway.networking.k8s.io/v1beta1", "HTTPRoute", kGatewayApi},
    {"gateway.networking.k8s.io/v1", "ReferenceGrant", kGatewayApi},
    {"gateway.networking.k8s.io/v1alpha2", "ReferenceGrant", kGatewayApi},
};

const KindInfo* find_in_group(std::string_view group, std::string_view kind) {
  auto found =
      std::ranges::find_if(kKinds, [&](const KindInfo& k) { return k.group == group && k.kind == kind; });
  return found == kKinds.end() ? nullptr : &*found;
}

}  // namespace

std::string KindInfo::api_version() const {
  return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

std::span<const KindInfo> kinds() { return kKinds; }

const KindInfo* find_kind(std::string_view api_version, std::string_view kind) {
  for (const OldVersion& old : kOldVersions)
    if (old.api_version == api_version && old.kind == kind) return find_in_group(old.group, kind);
  auto slash = api_version.find('/');
  std::string_view group = slash == api_version.npos ? std::string_view() : api_version.substr(0, slash);
  const KindInfo* info = find_in_group(group, kind);
  return info && info->api_version() == api_version ? info : nullptr;
}

const KindInfo* find_kind_by_name(std::string_view typed) {
  std::string lower = to_lower(typed);
  auto dot = lower.find('.');
  std::string_view name = std::string_view(lower).substr(0, dot);
  std::string_view group = dot == lower.npos ? std::string_view() : std::string_view(lower).substr(dot + 1);
  for (const KindInfo& info : kKinds) {
    if (dot != lower.npos && info.group != group) continue;
    if (name == info.plural || name == info.singular || (!name.empty() && name == info.short_name))
      return &info;
  }
  return nullptr;
}

std::string resource_name(const KindInfo& kind) {
  std::string text(kind.plural);
  if (!kind.group.empty()) text.append(".").append(kind.group);
  return text;
}

const KindInfo* find_kind_by_plural(std::string_view group, std::string_view plural) {
  auto found =
      std::ranges::find_if(kKinds, [&](const KindInfo& k) { return k.group == group && k.plural == plural; });
  return found == kKinds.end() ? nullptr : &*found;
}

}  // namespace weft::api

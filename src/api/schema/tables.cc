#include "api/schema/tables.h"

#include <algorithm>
#include <iterator>

#include "api/object.h"
#include "api/schema/formats.h"

namespace weft::api {
namespace {

constexpr Field kOwnerFields[] = {
    text("apiVersion", not_empty).required(),
    text("kind", not_empty).required(),
    text("name", not_empty).required(),
    text("uid", not_empty).required(),
    flag("controller"),
    flag("blockOwnerDeletion"),
};
constexpr Schema kOwner{kOwnerFields};

constexpr Field kObjectMetaFields[] = {
    text("name", dns_subdomain).required(),
    text("namespace", dns_label),
    text("labels", label_value).map().keys(label_key),
    text("annotations").map().keys(label_key),
    object("ownerReferences", kOwner).list(),
    later("generateName", "give the object a name"),
    later("finalizers", "remove it; weft deletes at once"),
    server_set("uid"),
    server_set("resourceVersion"),
    server_set("generation"),
    server_set("creationTimestamp"),
    server_set("deletionTimestamp"),
    server_set("deletionGracePeriodSeconds"),
    server_set("selfLink"),
    server_set("managedFields"),
};

constexpr Field kTemplateMetaFields[] = {
    text("name", dns_subdomain).ignored(),
    text("namespace", dns_label).ignored(),
    text("labels", label_value).map().keys(label_key),
    text("annotations").map().keys(label_key),
    server_set("creationTimestamp"),
    later("finalizers", "remove it; weft deletes at once"),
};

constexpr std::string_view kOperators[] = {"In", "NotIn", "Exists", "DoesNotExist"};
constexpr Field kExpressionFields[] = {
    text("key", label_key).required(),
    one_of("operator", kOperators).required(),
    text("values", label_value).list(),
};
constexpr Schema kExpression{kExpressionFields};
constexpr Field kLabelSelectorFields[] = {
    text("matchLabels", label_value).map().keys(label_key),
    object("matchExpressions", kExpression).list(),
};

struct Row {
  std::string_view kind;
  const Schema* schema;
  std::string_view group = {};  ///< only where two kinds have the same name
};
constexpr Row kTables[] = {
    {"Namespace", &kNamespace},
    {"Service", &kService},
    {"Pod", &kPod},
    {"ServiceAccount", &kServiceAccount},
    {"ConfigMap", &kConfigMap},
    {"Secret", &kSecret},
    {"Deployment", &kDeployment},
    {"ReplicaSet", &kReplicaSet},
    {"EndpointSlice", &kEndpointSlice},
    {"Ingress", &kIngress},
    {"IngressClass", &kIngressClass},
    {"Gateway", &kGateway, "networking.istio.io"},
    {"VirtualService", &kVirtualService},
    {"DestinationRule", &kDestinationRule},
    {"GatewayClass", &kGatewayClass},
    {"Gateway", &kApiGateway, "gateway.networking.k8s.io"},
    {"HTTPRoute", &kHttpRoute},
    {"ReferenceGrant", &kReferenceGrant},
};

}  // namespace

constexpr Schema kObjectMeta{kObjectMetaFields};
constexpr Schema kTemplateMeta{kTemplateMetaFields};
constexpr Schema kLabelSelectorSchema{kLabelSelectorFields};

const Schema* find_schema(std::string_view api_version, std::string_view kind) {
  const KindInfo* info = find_kind(api_version, kind);
  if (!info) return nullptr;
  if (kind == "Ingress" && info->api_version() != api_version) return &kIngressV1Beta1;
  auto row = std::ranges::find_if(
      kTables, [&](const Row& r) { return r.kind == kind && (r.group.empty() || r.group == info->group); });
  return row == std::end(kTables) ? nullptr : row->schema;
}

}  // namespace weft::api

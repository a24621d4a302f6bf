#include "install/custom_resources.h"

#include <algorithm>

#include "api/schema/schema.h"
#include "base/error.h"
#include "install/open_api.h"

namespace weft::install {
namespace {

using api::Json;

constexpr std::string_view kIstioSuffix = ".istio.io";
/// The release of the Gateway API that the tables are a part of; clients read it from the definitions.
constexpr const char* kBundleVersion = "v1.4.0";
constexpr std::string_view kVersions[] = {"v1", "v1beta1", "v1alpha3", "v1alpha2"};

/// What `kubectl get` shows beside the name.
struct Column {
  std::string_view kind, name, type, path, description;
  int priority = 0;
};

constexpr Column kIstioColumns[] = {
    {"VirtualService", "Gateways", "string", ".spec.gateways", "The gateways that apply these routes"},
    {"VirtualService", "Hosts", "string", ".spec.hosts", "The hosts that requests are sent to"},
    {"DestinationRule", "Host", "string", ".spec.host", "The service whose traffic the rule is about"},
};
constexpr std::string_view kAccepted = ".status.conditions[?(@.type==\"Accepted\")].status";
constexpr std::string_view kProgrammed = ".status.conditions[?(@.type==\"Programmed\")].status";
constexpr Column kGatewayApiColumns[] = {
    {"GatewayClass", "Controller", "string", ".spec.controllerName", "Who serves gateways of this class"},
    {"GatewayClass", "Accepted", "string", kAccepted, "Whether the controller serves it"},
    {"GatewayClass", "Description", "string", ".spec.description", "What its author says of it", 1},
    {"Gateway", "Class", "string", ".spec.gatewayClassName", "The class, and so who serves it"},
    {"Gateway", "Address", "string", ".status.addresses[*].value", "Where it is reached"},
    {"Gateway", "Programmed", "string", kProgrammed, "Whether it serves as written"},
    {"HTTPRoute", "Hostnames", "string", ".spec.hostnames", "The hosts of the requests it is about"},
};

Json column(std::string_view name, std::string_view type, std::string_view path, std::string_view description,
            int priority) {
  Json made = {{"name", name}, {"type", type}, {"jsonPath", path}, {"description", description}};
  if (priority != 0) made["priority"] = priority;
  return made;
}

/// Empty: the server's own, name and age.
Json columns_of(const api::KindInfo& kind) {
  Json made = Json::array();
  const auto add = [&](std::span<const Column> columns) {
    for (const Column& each : columns)
      if (each.kind == kind.kind)
        made.push_back(column(each.name, each.type, each.path, each.description, each.priority));
  };
  if (kind.group == kGatewayApiGroup)
    add(kGatewayApiColumns);
  else
    add(kIstioColumns);
  if (!made.empty())
    made.push_back(column("Age", "date", ".metadata.creationTimestamp", "How long it has been there", 0));
  return made;
}

Json schema_of(const api::KindInfo& kind, const std::string& version) {
  const std::string api_version = std::string(kind.group) + "/" + version;
  const api::Schema* table = api::find_schema(api_version, kind.kind);
  WEFT_ASSERT(table != nullptr);
  Json made = {{"type", "object"}};
  for (const api::Field& field : table->fields) {
    // The three that every object has belong to the API server.
    if (field.name == "apiVersion" || field.name == "kind" || field.name == "metadata") continue;
    if (field.name == "status") continue;
    WEFT_ASSERT(field.object != nullptr && field.shape == api::Shape::kOne);
    made["properties"][std::string(field.name)] = open_api(*field.object);
    if (field.is_required) made["required"].push_back(field.name);
  }
  made["properties"]["status"] = {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
  return made;
}

Json version_of(const api::KindInfo& kind, const std::string& version) {
  Json made = {{"name", version},
               {"served", true},
               {"storage", version == kind.version},
               {"schema", {{"openAPIV3Schema", schema_of(kind, version)}}},
               {"subresources", {{"status", Json::object()}}}};
  if (Json columns = columns_of(kind); !columns.empty())
    made["additionalPrinterColumns"] = std::move(columns);
  return made;
}

Json names_of(const api::KindInfo& kind) {
  Json categories = Json::array({"gateway-api"});
  if (kind.group != kGatewayApiGroup) {
    const std::string_view area = kind.group.substr(0, kind.group.size() - kIstioSuffix.size());
    categories = {"istio-io", std::string(area) + "-istio-io"};
  }
  Json names = {{"kind", kind.kind},
                {"listKind", std::string(kind.kind) + "List"},
                {"plural", kind.plural},
                {"singular", kind.singular},
                {"categories", std::move(categories)}};
  if (!kind.short_name.empty()) names["shortNames"] = Json::array({kind.short_name});
  return names;
}

}  // namespace

std::vector<CustomKind> custom_kinds(bool gateway_api) {
  std::vector<CustomKind> all;
  for (const api::KindInfo& kind : api::kinds()) {
    const bool istio = kind.group.ends_with(kIstioSuffix);
    if (!istio && !(gateway_api && kind.group == kGatewayApiGroup)) continue;
    CustomKind custom{&kind, {std::string(kind.version)}};
    for (const std::string_view version : kVersions)
      if (version != kind.version &&
          api::find_kind(std::string(kind.group).append("/").append(version), kind.kind) == &kind)
        custom.versions.emplace_back(version);
    all.push_back(std::move(custom));
  }
  return all;
}

Json custom_resource_definition(const CustomKind& custom) {
  const api::KindInfo& kind = *custom.kind;
  Json metadata = {{"name", custom.name()}};
  // Groups under k8s.io belong to the Kubernetes project: who defines a part of one says so.
  if (kind.group.ends_with(".k8s.io"))
    metadata["annotations"] = {{"api-approved.kubernetes.io", "unapproved, served by weft: a subset"},
                               {"gateway.networking.k8s.io/bundle-version", kBundleVersion},
                               {"gateway.networking.k8s.io/channel", "standard"}};
  Json versions = Json::array();
  for (const std::string& version : custom.versions) versions.push_back(version_of(kind, version));
  return {{"apiVersion", "apiextensions.k8s.io/v1"},
          {"kind", "CustomResourceDefinition"},
          {"metadata", std::move(metadata)},
          {"spec",
           {{"group", kind.group},
            {"names", names_of(kind)},
            {"scope", kind.namespaced ? "Namespaced" : "Cluster"},
            {"versions", std::move(versions)}}}};
}

}  // namespace weft::install

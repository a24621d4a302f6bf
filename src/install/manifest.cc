#include "install/manifest.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "api/json_text.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "install/access_rights.h"
#include "install/control_plane.h"
#include "install/custom_resources.h"
#include "install/ingress_gateway.h"
#include "install/names.h"
#include "install/webhooks.h"

namespace weft::install {
namespace {

using api::Json;

Part space(const char* name, std::string comment) {
  return {std::move(comment), {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}}};
}

void append(Parts& to, Parts from) {
  for (Part& each : from) to.push_back(std::move(each));
}

Parts definitions(const Plan& plan) {
  Parts parts;
  std::string_view group;
  for (const CustomKind& each : custom_kinds(plan.gateway_api)) {
    std::string comment;
    if (each.kind->group != group && each.kind->group == kGatewayApiGroup)
      comment =
          "Gateway API, as far as weft serves it. Where a cluster has the project's own definitions, "
          "install\n"
          "with --set gatewayApi.crds=false.";
    else if (each.kind->group != group)
      comment =
          "Istio's kinds, as far as weft serves them. What the schemas do not know is kept, so that the\n"
          "validator can reject it by name; a schema alone would drop it silently.";
    group = each.kind->group;
    parts.push_back({std::move(comment), custom_resource_definition(each)});
  }
  return parts;
}

std::string commented(std::string_view text, std::string_view indent = {}) {
  std::string lines;
  for (const std::string_view line : split(text, '\n'))
    lines.append(indent).append("# ").append(line).append("\n");
  return lines;
}

/// A role's rules stand last, each under its reason.
std::string role_text(const Part& part) {
  Json head = part.object;
  const Json rules = head["rules"];
  head.erase("rules");
  std::string text = api::to_yaml(head) + "rules:\n";
  for (std::size_t i = 0; i < rules.size(); ++i)
    text += commented(part.reasons[i]) + api::to_yaml(Json::array({rules[i]}));
  return text;
}

std::string part_text(const Part& part) {
  std::string text = "---\n";
  if (!part.comment.empty()) text += commented(part.comment);
  return text + (part.reasons.empty() ? api::to_yaml(part.object) : role_text(part));
}

/// What the control plane makes and install does not.
Parts made_later() {
  const auto named = [](const char* version, const char* kind, const char* name, const char* ns) {
    return Part{{},
                {{"apiVersion", version}, {"kind", kind}, {"metadata", {{"name", name}, {"namespace", ns}}}}};
  };
  return {named("v1", "Secret", kAuthority, kNamespace),
          named("v1", "ConfigMap", kRootCertificate, kNamespace),
          named("coordination.k8s.io/v1", "Lease", kLeader, kNamespace)};
}

/// Smaller goes earlier: nothing may stand in the way of what goes after it.
int rank(const Json& object) {
  static constexpr std::array<std::string_view, 4> kFirst = {
      "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "Deployment", "Service"};
  const std::string kind = api::json_string(object, "kind");
  if (kind == "Namespace") return 100;
  if (kind == "CustomResourceDefinition") return 99;
  const auto found = std::ranges::find(kFirst, kind);
  return static_cast<int>(found - kFirst.begin());
}

}  // namespace

Parts installation(const Plan& plan) {
  Parts parts;
  parts.push_back(space(kNamespace, "Where the control plane and the ingress gateway run."));
  if (plan.has_ingress())
    parts.push_back(space(kWalkthroughIngress.ns, "Where the walk-through looks for its ingress."));
  append(parts, definitions(plan));
  parts.push_back(control_plane_account());
  append(parts, access_rights(plan));
  append(parts, control_plane(plan));
  append(parts, webhooks(plan));
  parts.push_back(ingress_class());
  if (plan.has_gateway()) append(parts, ingress_gateway(kIngressGateway, plan.gateway, plan));
  if (plan.has_ingress()) append(parts, ingress_gateway(kWalkthroughIngress, plan.ingress, plan));
  for (Part& each : parts) each.object["metadata"]["labels"][kPartOfLabel] = kPartOf;
  return parts;
}

std::string manifest(const Plan& plan) {
  std::string text =
      commented("weft " WEFT_VERSION ", profile " + std::string(to_string(plan.profile)) +
                ": kubectl apply -f -\n"
                "Every object is labelled app.kubernetes.io/part-of=weft; `weft uninstall` goes "
                "by it.");
  for (const Part& each : installation(plan)) text += part_text(each);
  return text;
}

std::string removal_manifest(const Plan& plan) {
  Parts parts = installation(plan);
  append(parts, made_later());
  // By rank, and within it the last made first.
  std::map<std::pair<int, std::ptrdiff_t>, const Json*> order;
  for (std::ptrdiff_t i = 0; const Part& each : parts) order[{rank(each.object), -i++}] = &each.object;
  std::string text = commented("weft " WEFT_VERSION ", profile " + std::string(to_string(plan.profile)) +
                               ": kubectl delete --ignore-not-found -f -\n"
                               "The root certificate in each namespace goes by\n"
                               "  kubectl delete configmap -A -l app.kubernetes.io/part-of=weft");
  for (const auto& [position, object] : order) {
    const Json& metadata = (*object)["metadata"];
    Json bare = {{"apiVersion", (*object)["apiVersion"]},
                 {"kind", (*object)["kind"]},
                 {"metadata", {{"name", metadata["name"]}}}};
    if (metadata.contains("namespace")) bare["metadata"]["namespace"] = metadata["namespace"];
    text += part_text({{}, std::move(bare)});
  }
  return text;
}

}  // namespace weft::install

#include "api/intake.h"

#include <algorithm>
#include <vector>

#include "api/convert.h"
#include "api/defaults.h"
#include "api/rules/rules.h"
#include "base/strings.h"

namespace weft::api {
namespace {

constexpr std::string_view kOtherKinds[] = {"AuthorizationPolicy",
                                            "Certificate",
                                            "ClusterRole",
                                            "ClusterRoleBinding",
                                            "CronJob",
                                            "CustomResourceDefinition",
                                            "DaemonSet",
                                            "Endpoints",
                                            "EnvoyFilter",
                                            "Event",
                                            "GRPCRoute",
                                            "HorizontalPodAutoscaler",
                                            "Issuer",
                                            "Job",
                                            "Lease",
                                            "LimitRange",
                                            "MutatingWebhookConfiguration",
                                            "NetworkPolicy",
                                            "Node",
                                            "PeerAuthentication",
                                            "PersistentVolume",
                                            "PersistentVolumeClaim",
                                            "PodDisruptionBudget",
                                            "ProxyConfig",
                                            "ReplicationController",
                                            "RequestAuthentication",
                                            "ResourceQuota",
                                            "Role",
                                            "RoleBinding",
                                            "RouteRule",
                                            "ServiceEntry",
                                            "Sidecar",
                                            "StatefulSet",
                                            "StorageClass",
                                            "TCPRoute",
                                            "TLSRoute",
                                            "Telemetry",
                                            "ValidatingWebhookConfiguration",
                                            "WasmPlugin",
                                            "WorkloadEntry",
                                            "WorkloadGroup"};

/// The kind of that name, if need be in another group than was written. Null when there is none.
const KindInfo* find_namesake(std::string_view api_version, std::string_view kind) {
  const KindInfo* found = nullptr;
  for (const KindInfo& info : kinds())
    if (info.kind == kind && (!found || api_version.starts_with(std::string(info.group) + "/")))
      found = &info;
  return found;
}

void unknown_kind(const std::string& api_version, const std::string& kind, const Path& at, Report& report) {
  if (const KindInfo* info = find_namesake(api_version, kind))
    return report.problem(at.at("apiVersion"), "\"" + api_version +
                                                   "\": weft does not know this version of " + kind +
                                                   "; write " + info->api_version());
  if (std::ranges::find(kOtherKinds, kind) != std::end(kOtherKinds))
    return report.unsupported(at.at("kind"), kind, "remove the object");
  std::vector<std::string_view> names;
  for (const KindInfo& info : kinds()) names.push_back(info.kind);
  std::string_view near = nearest(kind, names);
  report.problem(
      at.at("kind"),
      "\"" + kind + "\": unknown kind" +
          (near.empty() ? "; weft knows " + join(std::vector<std::string>(names.begin(), names.end()), ", ")
                        : "; did you mean \"" + std::string(near) + "\"?"));
}

const KindInfo* kind_of(const Json& body, const Path& at, Report& report, bool& unknown) {
  if (!body.is_object()) {
    report.problem(at, "must be a map with apiVersion, kind and metadata, and is " +
                           (body.is_array() ? std::string("a list") : shown(body)));
    return nullptr;
  }
  for (const char* name : {"apiVersion", "kind"}) {
    const Json* value = member(body, name);
    if (value && value->is_string() && !value->get_ref<const std::string&>().empty()) continue;
    report.problem(at.at(name), value ? "must be a text, and is " + shown(*value) : "is required");
    return nullptr;
  }
  std::string api_version(cut(text_of(body, "apiVersion"), 100));
  std::string kind(cut(text_of(body, "kind"), 100));
  const KindInfo* info = find_kind(api_version, kind);
  unknown = info == nullptr;
  if (unknown) unknown_kind(api_version, kind, at, report);
  return info;
}

}  // namespace

Admission take_in(Json body, Source source, std::string_view default_namespace, const Path& at,
                  Report& report, const ObjectCheck& check) {
  Admission result;
  const KindInfo* kind = kind_of(body, at, report, result.unknown_kind);
  if (!kind) return result;
  check_schema(body, *find_schema(text_of(body, "apiVersion"), kind->kind), source, at, report);
  if (report.clean()) convert(body, *kind, at, report);
  if (report.clean()) check_rules(body, *kind, at, report);
  if (!report.clean()) return result;
  if (kind->namespaced && text_of(body["metadata"], "namespace").empty())
    body["metadata"]["namespace"] = std::string(default_namespace);
  Json written = body;
  set_defaults(body, *kind);
  Intake taken{{kind, std::move(body)}, std::move(written)};
  if (check)
    for (const Finding& finding : check(taken.object))
      with_place(finding.at, at, [&](const Path& place) { report.problem(place, finding.text); });
  if (report.clean()) result.taken = std::move(taken);
  return result;
}

}  // namespace weft::api

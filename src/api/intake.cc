#include "api/intake.h"

#include <algorithm>
#include <charconv>
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

/// Walks the steps of a finding's pointer below `at`.
void report_at(std::string_view pointer, const std::string& text, const Path& at, Report& report) {
  if (!pointer.starts_with('/')) return report.problem(at, text);
  pointer.remove_prefix(1);
  const std::string_view step = pointer.substr(0, pointer.find('/'));
  pointer.remove_prefix(step.size());
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
  if (error == std::errc() && end == step.data() + step.size())
    return report_at(pointer, text, at.at(index), report);
  std::string key;
  for (std::size_t i = 0; i < step.size(); ++i) {
    const std::string_view rest = step.substr(i);
    const bool escaped = rest.starts_with("~0") || rest.starts_with("~1");
    key += !escaped ? step[i] : step[++i] == '0' ? '~' : '/';
  }
  report_at(pointer, text, at.at(key), report);
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
    for (const Finding& finding : check(taken.object)) report_at(finding.at, finding.text, at, report);
  if (report.clean()) result.taken = std::move(taken);
  return result;
}

}  // namespace weft::api

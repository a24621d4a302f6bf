#include <algorithm>
#include <map>

#include "api/rules/rules.h"
#include "api/schema/check.h"
#include "api/selector.h"

namespace weft::api {
namespace {

void check_probe(const Json& container, const char* name, const Path& at, Report& report) {
  const Json* probe = member(container, name);
  if (!probe) return;
  Path probe_at = at.at(name);
  const Json* threshold = member(*probe, "successThreshold");
  if (threshold && *threshold != 1 && std::string_view(name) != "readinessProbe")
    report.problem(probe_at.at("successThreshold"), shown(*threshold) + ": must be 1 here");
  for (const char* action : {"httpGet", "tcpSocket"}) {
    const Json* body = member(*probe, action);
    if (!body) continue;
    const Json& port = (*body)["port"];
    Path action_at = probe_at.at(action);
    Path port_at = action_at.at("port");
    if (!port.is_string()) {
      if (port.get<std::int64_t>() < 1 || port.get<std::int64_t>() > 65535)
        report.problem(port_at, shown(port) + ": must be from 1 to 65535");
      continue;
    }
    const Json* ports = member(container, "ports");
    const auto& wanted = port.get_ref<const std::string&>();
    bool known = ports && std::ranges::any_of(
                              *ports, [&](const Json& each) { return text_of(each, "name") == wanted; });
    if (!known) report.problem(port_at, shown(port) + ": must be the name of a port of this container");
  }
}

void check_field_path(const Json& env, const Path& at, Report& report) {
  const Json* from = member(env, "valueFrom");
  const Json* reference = from ? member(*from, "fieldRef") : nullptr;
  if (!reference) return;
  constexpr std::string_view kKnown[] = {
      "metadata.name",           "metadata.namespace", "metadata.uid", "spec.nodeName",
      "spec.serviceAccountName", "status.hostIP",      "status.podIP", "status.podIPs"};
  std::string_view path = text_of(*reference, "fieldPath");
  bool entry = (path.starts_with("metadata.labels['") || path.starts_with("metadata.annotations['")) &&
               path.ends_with("']");
  if (entry || std::ranges::find(kKnown, path) != std::end(kKnown)) return;
  Path from_at = at.at("valueFrom");
  Path reference_at = from_at.at("fieldRef");
  report.problem(reference_at.at("fieldPath"),
                 shown((*reference)["fieldPath"]) +
                     ": must be metadata.name, metadata.namespace, metadata.uid, "
                     "metadata.labels['key'], metadata.annotations['key'], "
                     "spec.nodeName, spec.serviceAccountName, status.podIP or status.hostIP");
}

void check_container(const Json& spec, const Json& container, const Path& at, Report& report) {
  Unique port_names("this port's name", report);
  each(container, "ports", at, [&](const Json& port, const Path& port_at) {
    if (port.contains("name")) port_names.add(std::string(text_of(port, "name")), port_at.at("name"));
  });
  each(container, "env", at,
       [&](const Json& env, const Path& env_at) { check_field_path(env, env_at, report); });
  Unique mounts("this mountPath", report);
  const Json* volumes = member(spec, "volumes");
  each(container, "volumeMounts", at, [&](const Json& mount, const Path& mount_at) {
    mounts.add(std::string(text_of(mount, "mountPath")), mount_at.at("mountPath"));
    std::string_view name = text_of(mount, "name");
    bool known =
        volumes && std::ranges::any_of(*volumes, [&](const Json& v) { return text_of(v, "name") == name; });
    if (!known)
      report.problem(mount_at.at("name"),
                     shown(mount["name"]) + ": must be the name of one of the pod's volumes");
  });
  for (const char* name : {"readinessProbe", "livenessProbe", "startupProbe"})
    check_probe(container, name, at, report);
}

std::map<std::string, std::string> labels_of(const Json& spec) {
  std::map<std::string, std::string> labels;
  const Json* meta = member(spec["template"], "metadata");
  const Json* entries = meta ? member(*meta, "labels") : nullptr;
  if (entries)
    for (const auto& [key, value] : entries->items()) labels.emplace(key, value.get<std::string>());
  return labels;
}

void check_strategy(const Json& spec, const Path& at, Report& report) {
  const Json* strategy = member(spec, "strategy");
  const Json* rolling = strategy ? member(*strategy, "rollingUpdate") : nullptr;
  if (!rolling) return;
  Path strategy_at = at.at("strategy");
  Path rolling_at = strategy_at.at("rollingUpdate");
  if (text_of(*strategy, "type") == "Recreate")
    return report.problem(rolling_at, "may not be given with type Recreate; remove it");
  auto none = [&](const char* name) {
    const Json* value = member(*rolling, name);
    return value && (*value == 0 || *value == "0%");
  };
  if (none("maxSurge") && none("maxUnavailable"))
    report.problem(rolling_at.at("maxUnavailable"),
                   "may not be 0 when maxSurge is 0 too: nothing could be replaced");
}

}  // namespace

void check_pod_spec(const Json& spec, const Path& at, Report& report) {
  if (spec["containers"].empty()) report.problem(at.at("containers"), "must have at least one container");
  Unique containers("this container's name", report);
  each(spec, "containers", at, [&](const Json& container, const Path& container_at) {
    containers.add(std::string(text_of(container, "name")), container_at.at("name"));
    check_container(spec, container, container_at, report);
  });
  Unique volumes("this volume's name", report);
  each(spec, "volumes", at, [&](const Json& volume, const Path& volume_at) {
    volumes.add(std::string(text_of(volume, "name")), volume_at.at("name"));
    if (!volume.contains("emptyDir")) report.problem(volume_at, "needs a source: write emptyDir: {}");
  });
}

void check_workload(const Json& spec, const Path& at, Report& report) {
  Path template_at = at.at("template");
  Path pod_at = template_at.at("spec");
  const Json& pod = spec["template"]["spec"];
  check_pod_spec(pod, pod_at, report);
  if (pod.contains("restartPolicy") && pod["restartPolicy"] != "Always")
    report.problem(pod_at.at("restartPolicy"), shown(pod["restartPolicy"]) + ": must be Always here");
  check_strategy(spec, at, report);
  Path selector_at = at.at("selector");
  const Json* selector = member(spec, "selector");
  if (!selector) return report.problem(selector_at, "is required");
  auto parsed = LabelSelector::from_json(*selector);
  if (!parsed) return report.problem(selector_at, parsed.error().text);
  if (parsed->empty()) return report.problem(selector_at, "must have matchLabels or matchExpressions");
  auto labels = labels_of(spec);
  if (parsed->matches(labels)) return;
  Json found(labels);
  report.problem(selector_at, "must match the template's labels, which are " + shown(found));
}

}  // namespace weft::api

#include "base/strings.h"
#include "cli/description.h"
#include "cli/json_path.h"
#include "cli/pod_summary.h"

namespace weft::cli {
namespace {

using api::Json;

void describe_state(Page& page, std::string_view name, const Json& state) {
  if (at(state, "running").is_object()) {
    page.field(name, "Running");
    page.field("  Started", text_at(state, "running.startedAt"));
  } else if (at(state, "waiting").is_object()) {
    page.field(name, "Waiting");
    page.field("  Reason", text_at(state, "waiting.reason"));
    if (std::string message = text_at(state, "waiting.message"); !message.empty())
      page.field("  Message", message);
  } else if (at(state, "terminated").is_object()) {
    const Json& ended = at(state, "terminated");
    page.field(name, "Terminated");
    page.field("  Reason", text_at(ended, "reason"));
    if (std::string message = text_at(ended, "message"); !message.empty()) page.field("  Message", message);
    page.field("  Exit Code", std::to_string(number_at(ended, "exitCode")));
    if (number_at(ended, "signal") != 0) page.field("  Signal", std::to_string(number_at(ended, "signal")));
    page.field("  Started", text_at(ended, "startedAt"));
    page.field("  Finished", text_at(ended, "finishedAt"));
  }
}

std::string probe_text(const Json& probe) {
  std::string text;
  if (const Json& get = at(probe, "httpGet"); get.is_object()) {
    const std::string path = text_at(get, "path");
    text = "http-get http://:" + scalar_text(at(get, "port")) + (path.empty() ? "/" : path);
  } else if (at(probe, "tcpSocket").is_object()) {
    text = "tcp-socket :" + scalar_text(at(probe, "tcpSocket.port"));
  } else if (at(probe, "exec").is_object()) {
    text = "exec [" + joined(list_at(probe, "exec.command"), " ") + "]";
  }
  return text + " delay=" + std::to_string(number_at(probe, "initialDelaySeconds")) +
         "s timeout=" + std::to_string(number_at(probe, "timeoutSeconds", 1)) +
         "s period=" + std::to_string(number_at(probe, "periodSeconds", 10)) +
         "s #success=" + std::to_string(number_at(probe, "successThreshold", 1)) +
         " #failure=" + std::to_string(number_at(probe, "failureThreshold", 3));
}

std::string environment_text(const Json& variable) {
  const Json& from = at(variable, "valueFrom");
  if (!from.is_object()) return text_at(variable, "value");
  if (at(from, "fieldRef").is_object()) return "(" + text_at(from, "fieldRef.fieldPath") + ")";
  for (std::string_view source : {"secretKeyRef", "configMapKeyRef"})
    if (at(from, source).is_object())
      return "<set to the key '" + text_at(at(from, source), "key") + "' in " +
             (source == "secretKeyRef" ? "secret" : "config map") + " '" + text_at(at(from, source), "name") +
             "'>";
  return "<set elsewhere>";
}

void describe_container(Page& page, const Json& container, const Json& status) {
  std::string name = text_at(container, "name");
  if (name.empty()) name = text_at(status, "name");
  page.enter(name);
  const std::string image = text_at(container, "image");
  page.field("Image", image.empty() ? text_at(status, "image") : image);
  std::string ports;
  for (const Json& port : list_at(container, "ports")) {
    const std::string protocol = text_at(port, "protocol");
    ports += (ports.empty() ? "" : ", ") + std::to_string(number_at(port, "containerPort")) + "/" +
             (protocol.empty() ? "TCP" : protocol);
  }
  if (!ports.empty()) page.field("Ports", ports);
  for (const auto& [title, field] : {std::pair{"Command", "command"}, std::pair{"Args", "args"}})
    if (!list_at(container, field).empty()) page.field(title, joined(list_at(container, field), "\n"));
  describe_state(page, "State", at(status, "state"));
  describe_state(page, "Last State", at(status, "lastState"));
  if (status.is_object()) {
    page.field("Ready", flag_at(status, "ready") ? "True" : "False");
    page.field("Restart Count", std::to_string(number_at(status, "restartCount")));
  }
  for (const auto& [title, field] :
       {std::pair{"Liveness", "livenessProbe"}, std::pair{"Readiness", "readinessProbe"},
        std::pair{"Startup", "startupProbe"}})
    if (at(container, field).is_object()) page.field(title, probe_text(at(container, field)));
  if (!list_at(container, "env").empty()) {
    page.enter("Environment");
    for (const Json& variable : list_at(container, "env"))
      page.field(text_at(variable, "name"), environment_text(variable));
    page.leave();
  }
  std::string mounts;
  for (const Json& mount : list_at(container, "volumeMounts"))
    mounts += (mounts.empty() ? "" : "\n") + text_at(mount, "mountPath") + " from " + text_at(mount, "name") +
              (flag_at(mount, "readOnly") ? " (ro)" : " (rw)");
  if (!mounts.empty()) page.field("Mounts", mounts);
  page.leave();
}

const Json& named(const Json& list, std::string_view name) {
  static const Json kNone;
  for (const Json& item : list)
    if (text_at(item, "name") == name) return item;
  return kNone;
}

void describe_volumes(Page& page, const Json& spec) {
  if (list_at(spec, "volumes").empty()) return;
  page.enter("Volumes");
  for (const Json& volume : list_at(spec, "volumes")) {
    std::string type;
    for (const auto& [key, value] : volume.items())
      if (key != "name")
        type = key + (value.is_object() && !value.empty() ? " (" + pairs_text(value) + ")" : "");
    page.field(text_at(volume, "name"), type);
  }
  page.leave();
}

}  // namespace

void describe_template(Page& page, const Json& pod_template) {
  page.enter("Pod Template");
  page.map("Labels", at(pod_template, "metadata.labels"), "=");
  if (!at(pod_template, "metadata.annotations").empty())
    page.map("Annotations", at(pod_template, "metadata.annotations"), ": ");
  const std::string account = text_at(pod_template, "spec.serviceAccountName");
  if (!account.empty()) page.field("Service Account", account);
  page.enter("Containers");
  for (const Json& container : list_at(pod_template, "spec.containers"))
    describe_container(page, container, Json());
  page.leave();
  describe_volumes(page, at(pod_template, "spec"));
  page.leave();
}

void describe_pod(Page& page, const Json& pod) {
  const Json& statuses = list_at(pod, "status.containerStatuses");
  const PodSummary summary = summarize_pod(pod);
  page.field("Service Account", text_at(pod, "spec.serviceAccountName"));
  page.field("Node", text_at(pod, "spec.nodeName"));
  page.field("Start Time", text_at(pod, "status.startTime"));
  page.field("Status", summary.status);
  for (const auto& [title, field] :
       {std::pair{"Reason", "status.reason"}, std::pair{"Message", "status.message"}})
    if (std::string text = text_at(pod, field); !text.empty()) page.field(title, text);
  page.field("IP", text_at(pod, "status.podIP"));
  for (const Json& owner : list_at(pod, "metadata.ownerReferences"))
    page.field("Controlled By", text_at(owner, "kind") + "/" + text_at(owner, "name"));
  page.enter("Containers");
  const Json& containers = list_at(pod, "spec.containers");
  for (const Json& container : containers)
    describe_container(page, container, named(statuses, text_at(container, "name")));
  for (const Json& status : statuses)  // the sidecar is not part of the template
    if (named(containers, text_at(status, "name")).is_null()) describe_container(page, Json(), status);
  page.leave();
  describe_volumes(page, at(pod, "spec"));
}

}  // namespace weft::cli

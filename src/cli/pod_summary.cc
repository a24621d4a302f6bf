#include "cli/pod_summary.h"

#include <algorithm>

#include "cli/json_path.h"

namespace weft::cli {
namespace {

bool condition_true(const api::Json& pod, std::string_view type) {
  for (const api::Json& condition : list_at(pod, "status.conditions"))
    if (text_at(condition, "type") == type) return text_at(condition, "status") == "True";
  return false;
}

std::string ending(const api::Json& terminated) {
  std::string reason = text_at(terminated, "reason");
  if (!reason.empty()) return reason;
  const auto signal = number_at(terminated, "signal");
  return signal != 0 ? "Signal:" + std::to_string(signal)
                     : "ExitCode:" + std::to_string(number_at(terminated, "exitCode"));
}

void count_restarts(const api::Json& container, PodSummary& summary) {
  summary.restarts += number_at(container, "restartCount");
  const std::string when = text_at(container, "lastState.terminated.finishedAt");
  summary.last_restart = std::max(summary.last_restart, when);  // RFC 3339 in UTC sorts as text
}

/// "Init:..." while an init container is still to end; empty when they are done.
std::string initializing(const api::Json& pod) {
  const api::Json& statuses = list_at(pod, "status.initContainerStatuses");
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    const api::Json& state = at(statuses[i], "state");
    if (at(state, "terminated").is_object()) {
      if (number_at(state, "terminated.exitCode") == 0) continue;
      return "Init:" + ending(at(state, "terminated"));
    }
    if (flag_at(statuses[i], "started")) continue;  // a sidecar of the init list: it runs on
    const std::string waiting = text_at(state, "waiting.reason");
    if (!waiting.empty() && waiting != "PodInitializing") return "Init:" + waiting;
    return "Init:" + std::to_string(i) + "/" + std::to_string(list_at(pod, "spec.initContainers").size());
  }
  return "";
}

void look_at_containers(const api::Json& statuses, PodSummary& summary, bool ready) {
  bool running = false;
  for (std::size_t i = statuses.size(); i-- > 0;) {
    const api::Json& container = statuses[i];
    count_restarts(container, summary);
    const std::string waiting = text_at(container, "state.waiting.reason");
    if (!waiting.empty()) {
      summary.status = waiting;
    } else if (at(container, "state.terminated").is_object()) {
      summary.status = ending(at(container, "state.terminated"));
    } else if (flag_at(container, "ready") && at(container, "state.running").is_object()) {
      running = true;
      ++summary.ready;
    }
  }
  if (summary.status == "Completed" && running) summary.status = ready ? "Running" : "NotReady";
}

}  // namespace

PodSummary summarize_pod(const api::Json& pod) {
  const api::Json& statuses = list_at(pod, "status.containerStatuses");
  const std::string phase = text_at(pod, "status.phase");
  PodSummary summary;
  summary.containers = std::max(statuses.size(), list_at(pod, "spec.containers").size());
  summary.status = text_at(pod, "status.reason");
  if (summary.status.empty()) summary.status = phase.empty() ? "Unknown" : phase;

  const std::string init = initializing(pod);
  if (!init.empty() && !condition_true(pod, "Initialized")) {
    for (const api::Json& container : list_at(pod, "status.initContainerStatuses"))
      count_restarts(container, summary);
    summary.status = init;
  } else {
    look_at_containers(statuses, summary, condition_true(pod, "Ready"));
  }
  const bool over = phase == "Succeeded" || phase == "Failed";
  if (!text_at(pod, "metadata.deletionTimestamp").empty() && !over) summary.status = "Terminating";
  return summary;
}

}  // namespace weft::cli

#include "cli/start_progress.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/utc.h"
#include "cli/json_path.h"
#include "cli/pod_summary.h"
#include "cli/wait_applied.h"

namespace weft::cli {
namespace {

constexpr std::chrono::seconds kControllersTake{5};

store::Query all(std::string_view api_version, std::string_view kind) {
  return {.kind = api::find_kind(api_version, kind), .ns = "", .label_selector = "", .name = ""};
}

bool pod_ready(const api::Json& pod) {
  for (const api::Json& condition : list_at(pod, "status.conditions"))
    if (text_at(condition, "type") == "Ready") return text_at(condition, "status") == "True";
  return false;
}

std::string qualified(const api::Object& object) {
  return object.ns() == "default" ? std::string(object.name())
                                  : std::string(object.ns()) + "/" + std::string(object.name());
}

/// The message of the container that is in the way; empty when none says anything.
std::string message_of(const api::Json& pod) {
  for (const api::Json& container : list_at(pod, "status.containerStatuses")) {
    for (const char* path :
         {"state.terminated.message", "lastState.terminated.message", "state.waiting.message"})
      if (const std::string text = text_at(container, path); !text.empty()) return text;
  }
  return text_at(pod, "status.message");
}

bool is_stuck(const std::string& status) {
  constexpr std::array<std::string_view, 5> kStuck = {"ErrImageNeverPull", "CrashLoopBackOff",
                                                      "CreateContainerConfigError", "CreateContainerError",
                                                      "CreatePodSandboxError"};
  return std::ranges::find(kStuck, status) != kStuck.end();
}

}  // namespace

StartProgress::StartProgress(const Context& context, TimePoint began)
    : context_(context),
      began_(began),
      began_at_(utc_text(context.console.now() - (SteadyClock::now() - began))),
      pods_(context.loop, context.store, all("v1", "Pod"),
            [this](const store::Event& event) { on_pod(event); }),
      deployments_(context.loop, context.store, all("apps/v1", "Deployment")) {}

void StartProgress::start() {
  deployments_.start();
  pods_.start();
}

void StartProgress::on_pod(const store::Event& event) {
  if (!event.object || event.type == store::EventType::kDeleted) return;
  const std::string phase = text_at(event.object->body, "status.phase");
  if (event.type == store::EventType::kAdded && phase == "Failed" && failed_before(event.object->body))
    over_before_.insert(std::string(event.object->uid()));
  if (!pod_ready(event.object->body)) return;
  if (!announced_.insert(std::string(event.object->uid())).second) return;
  const PodSummary summary = summarize_pod(event.object->body);
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - began_).count();
  char line[256];
  std::snprintf(line, sizeof line, "  %-50s %zu/%zu  %s  %5.2f s\n", qualified(*event.object).c_str(),
                summary.ready, summary.containers,
                paint(context_.console, Colour::kGreen, summary.status).c_str(), seconds);
  context_.out(line);
}

/// A pod of an earlier run has ended before this one began; one of this start may have failed before the
/// first list was taken.
bool StartProgress::failed_before(const api::Json& pod) const {
  std::string last;
  for (const api::Json& container : list_at(pod, "status.containerStatuses"))
    last = std::max(last, text_at(container, "state.terminated.finishedAt"));
  return last < began_at_;
}

net::Task<Result<void>> StartProgress::expect_with_outcome(Applied applied) {
  if (applied.version > 0) {
    // Until then a pod is there that the files replace, and what it cannot do is of no account.
    co_await let_settle(context_, applied.version, kControllersTake);
    for (const store::Informer* copy : {&pods_, &deployments_}) {
      store::Query query;
      query.kind = copy->kind();
      WEFT_CO_TRY(const store::List now, co_await context_.store.list(std::move(query)));
      std::uint64_t& newest = applied.version_of_kind[copy->kind()];
      for (const api::ObjectPtr& object : now.items) newest = std::max(newest, object->resource_version());
    }
  }
  expect(applied);
  co_return Result<void>();
}

bool StartProgress::up_to_date() const {
  const auto has_seen = [this](const store::Informer& copy) {
    const auto applied = applied_.version_of_kind.find(copy.kind());
    return copy.synced() &&
           (applied == applied_.version_of_kind.end() || copy.resource_version() >= applied->second);
  };
  return has_seen(pods_) && has_seen(deployments_);
}

bool StartProgress::deployments_ready() const {
  return std::ranges::all_of(deployments_.items(), [](const auto& item) {
    const api::Json& body = item.second->body;
    const auto wanted = number_at(body, "spec.replicas", 1);
    return number_at(body, "status.observedGeneration") >= number_at(body, "metadata.generation") &&
           number_at(body, "status.readyReplicas") >= wanted &&
           number_at(body, "status.updatedReplicas") >= wanted &&
           // Else a pod of an earlier template may be the one that is ready.
           number_at(body, "status.replicas") <= number_at(body, "status.updatedReplicas");
  });
}

StartProgress::State StartProgress::state() const {
  if (!up_to_date() || deployments_.items().empty()) return State::kWaiting;
  bool waiting = false, stuck = false;
  for (const auto& [key, pod] : pods_.items()) {
    if (pod_ready(pod->body)) continue;
    const std::string phase = text_at(pod->body, "status.phase");
    if (phase == "Succeeded" || over_before_.contains(std::string(pod->uid()))) continue;
    const PodSummary summary = summarize_pod(pod->body);
    if (phase == "Failed") {
      stuck = true;
      continue;
    }
    (is_stuck(summary.status) ? stuck : waiting) = true;
  }
  if (waiting) return State::kWaiting;
  if (stuck) return State::kStuck;
  return deployments_ready() ? State::kReady : State::kWaiting;
}

std::string StartProgress::problems() const {
  std::string text;
  for (const auto& [key, pod] : pods_.items()) {
    if (pod_ready(pod->body) || over_before_.contains(std::string(pod->uid()))) continue;
    const std::string message = message_of(pod->body);
    text += "  " + qualified(*pod) + "  " +
            paint(context_.console, Colour::kRed, summarize_pod(pod->body).status) +
            (message.empty() ? "" : ": " + message) + "\n";
  }
  return text;
}

std::string page_path(const std::map<api::Key, api::ObjectPtr>& virtual_services) {
  for (const auto& [key, rule] : virtual_services) {
    if (list_at(rule->body, "spec.gateways").empty()) continue;
    for (const api::Json& route : list_at(rule->body, "spec.http"))
      for (const api::Json& match : list_at(route, "match"))
        for (const char* kind : {"uri.exact", "uri.prefix"})
          if (std::string path = text_at(match, kind); path.starts_with('/')) return path;
  }
  return "/";
}

}  // namespace weft::cli

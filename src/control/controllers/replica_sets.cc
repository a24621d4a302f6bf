#include <algorithm>

#include "control/controllers/view.h"
#include "control/json.h"

namespace weft::control {
namespace {

bool is_over(const api::Object& pod) {
  std::string_view phase = json::text(pod.status(), "phase");
  return phase == "Failed" || phase == "Succeeded";
}

/// The set's pods that work or will. One that is over never works again: it is replaced, and no one else
/// would remove it.
std::vector<api::ObjectPtr> pods_of(const LinkIndex& links, const api::Object& set, Plan& plan) {
  std::vector<api::ObjectPtr> pods;
  for (const auto& pod : links.found(topic(About::kOwner, set.uid()))) {
    if (pod->kind != kinds::pod() || pod->ns() != set.ns() || !is_owned_by(*pod, set) || is_terminating(*pod))
      continue;
    if (is_over(*pod))
      plan.push_back({Change::Kind::kRemove, *pod});
    else
      pods.push_back(pod);
  }
  return pods;
}

// The next plan goes on: what a file asks for must not be built in memory at once.
constexpr std::size_t kMaxCreatedAtOnce = 200;
// A pod's name is its host's name, too, which ends at 63 bytes.
constexpr std::size_t kMaxPrefix = 58;

api::Object make_pod(const api::Object& set, Random& random) {
  const api::Json& form = json::map(set.spec(), "template");
  const api::Json& metadata = json::map(form, "metadata");
  const std::string prefix = (std::string(set.name()) + "-").substr(0, kMaxPrefix);
  api::Object pod;
  pod.kind = kinds::pod();
  pod.body = {{"apiVersion", "v1"},
              {"kind", "Pod"},
              {"metadata",
               {{"name", prefix + name_suffix(random)},
                {"namespace", std::string(set.ns())},
                {"labels", json::map(metadata, "labels")},
                {"annotations", json::map(metadata, "annotations")},
                {"ownerReferences", api::Json::array({owner_reference(set)})}}},
              {"spec", json::map(form, "spec")}};
  if (pod.body["metadata"]["annotations"].empty()) pod.body["metadata"].erase("annotations");
  if (json::text(pod.body["spec"], "serviceAccountName").empty())
    pod.body["spec"]["serviceAccountName"] = "default";
  return pod;
}

/// Those that serve least come first: not ready, then the youngest.
bool goes_first(const api::ObjectPtr& a, const api::ObjectPtr& b) {
  if (is_ready(*a) != is_ready(*b)) return is_ready(*b);
  return a->resource_version() > b->resource_version();
}

std::size_t wanted(const api::Object& set) {
  return static_cast<std::size_t>(std::max<std::int64_t>(json::number(set.spec(), "replicas", 1), 0));
}

/// Only the pods that stay are left in `pods`.
void remove_surplus(Plan& plan, const api::Object& set, std::vector<api::ObjectPtr>& pods) {
  if (pods.size() <= wanted(set)) return;
  std::ranges::sort(pods, goes_first);
  const auto stays = pods.end() - static_cast<std::ptrdiff_t>(wanted(set));
  for (auto pod = pods.begin(); pod != stays; ++pod) plan.push_back({Change::Kind::kRemove, **pod});
  pods.erase(pods.begin(), stays);
}

void create_missing(Plan& plan, const api::Object& set, std::size_t have, Random& random) {
  const std::size_t now = std::min(wanted(set), have + kMaxCreatedAtOnce);
  for (; have < now; ++have) plan.push_back({Change::Kind::kCreate, make_pod(set, random)});
}

}  // namespace

Plan plan_replica_sets(const ObjectSnapshot& snapshot, PlanContext& context) {
  Plan plan;
  View view(snapshot, context);
  view.each(kinds::replica_set(), plan, [&](const api::ObjectPtr& set) {
    if (is_terminating(*set)) return;
    auto pods = pods_of(view.links(), *set, plan);
    // A reader who finds the status sufficient must not count on pods that are going.
    remove_surplus(plan, *set, pods);
    auto ready = std::ranges::count_if(pods, [](const auto& pod) { return is_ready(*pod); });
    api::Json status = {{"observedGeneration", set->generation()}, {"replicas", pods.size()}};
    if (!pods.empty()) status["fullyLabeledReplicas"] = pods.size();
    if (ready > 0) status["readyReplicas"] = status["availableReplicas"] = ready;
    set_status(plan, *set, std::move(status));
    create_missing(plan, *set, pods.size(), context.random);
  });
  return plan;
}

}  // namespace weft::control

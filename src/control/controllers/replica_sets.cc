#include <algorithm>

#include "control/controllers/view.h"
#include "control/json.h"

namespace weft::control {
namespace {

bool is_over(const api::Object& pod) {
  std::string_view phase = json::text(pod.status(), "phase");
  return phase == "Failed" || phase == "Succeeded";
}

struct Pods {
  std::vector<api::ObjectPtr> stay;  ///< they work or will
  std::size_t terminating = 0;       ///< they may work still, and are on their way out
};

/// A pod that is over never works again: it is replaced, and no one else would remove it.
Pods pods_of(const LinkIndex& links, const api::Object& set, Plan& plan) {
  Pods pods;
  for (const auto& pod : links.found(topic(About::kOwner, set.uid()))) {
    if (pod->kind != kinds::pod() || pod->ns() != set.ns() || !is_owned_by(*pod, set)) continue;
    if (is_terminating(*pod))
      pods.terminating += is_over(*pod) ? 0 : 1;
    else if (is_over(*pod))
      plan.push_back({Change::Kind::kRemove, *pod});
    else
      pods.stay.push_back(pod);
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

void remove_surplus(Plan& plan, const api::Object& set, Pods& pods) {
  if (pods.stay.size() <= wanted(set)) return;
  std::ranges::sort(pods.stay, goes_first);
  const auto first = pods.stay.end() - static_cast<std::ptrdiff_t>(wanted(set));
  for (auto pod = pods.stay.begin(); pod != first; ++pod) plan.push_back({Change::Kind::kRemove, **pod});
  pods.terminating += static_cast<std::size_t>(first - pods.stay.begin());
  pods.stay.erase(pods.stay.begin(), first);
}

api::Json status_of(const api::Object& set, const Pods& pods) {
  const auto ready = std::ranges::count_if(pods.stay, [](const auto& pod) { return is_ready(*pod); });
  api::Json status = {{"observedGeneration", set.generation()}, {"replicas", pods.stay.size()}};
  if (!pods.stay.empty()) status["fullyLabeledReplicas"] = pods.stay.size();
  if (ready > 0) status["readyReplicas"] = status["availableReplicas"] = ready;
  if (pods.terminating > 0) status["terminatingReplicas"] = pods.terminating;
  return status;
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
    set_status(plan, *set, status_of(*set, pods));
    create_missing(plan, *set, pods.stay.size(), context.random);
  });
  return plan;
}

}  // namespace weft::control

#include <algorithm>
#include <charconv>
#include <optional>

#include "control/controllers/view.h"
#include "control/json.h"

namespace weft::control {
namespace {

constexpr const char* kHashLabel = "pod-template-hash";
constexpr const char* kRevision = "deployment.kubernetes.io/revision";

/// A ReplicaSet of one Deployment and how many pods it is about to have.
struct Set {
  api::ObjectPtr object;
  std::int64_t replicas = 0;  ///< wanted; becomes what the plan decides
  std::int64_t available = 0;
};

/// The Deployment's ReplicaSets: the one of its present template, and older ones.
struct Rollout {
  const api::Object& deployment;
  std::int64_t desired = 1;
  std::int64_t surge = 1;
  std::int64_t unavailable = 0;
  bool recreate = false;
  std::optional<Set> current = std::nullopt;
  std::vector<Set> old = {};

  std::int64_t total() const {
    std::int64_t sum = current ? current->replicas : 0;
    for (const Set& set : old) sum += set.replicas;
    return sum;
  }
};

/// "25%" or 3, of `whole`.
std::int64_t share(const api::Json& value, std::int64_t whole, bool round_up, std::int64_t otherwise) {
  if (value.is_number()) return value.get<std::int64_t>();
  if (!value.is_string()) return otherwise;
  const auto& text = value.get_ref<const std::string&>();
  std::int64_t percent = 0;
  std::from_chars(text.data(), text.data() + text.size(), percent);
  return (whole * percent + (round_up ? 99 : 0)) / 100;
}

std::int64_t revision_of(const api::Object& set) {
  std::int64_t revision = 0;
  std::string_view text = set.annotation(kRevision);
  std::from_chars(text.data(), text.data() + text.size(), revision);
  return revision;
}

Rollout read_rollout(const LinkIndex& links, const api::Object& deployment, const std::string& hash) {
  Rollout rollout{deployment};
  const api::Json& spec = deployment.spec();
  rollout.desired = json::number(spec, "replicas", 1);
  const api::Json& strategy = json::map(spec, "strategy");
  rollout.recreate = json::text(strategy, "type") == "Recreate";
  const api::Json& rolling = json::map(strategy, "rollingUpdate");
  rollout.surge = share(json::at(rolling, "maxSurge"), rollout.desired, true, (rollout.desired + 3) / 4);
  rollout.unavailable =
      share(json::at(rolling, "maxUnavailable"), rollout.desired, false, rollout.desired / 4);
  if (rollout.surge == 0 && rollout.unavailable == 0) rollout.unavailable = 1;
  for (const auto& object : links.found(topic(About::kOwner, deployment.uid()))) {
    if (object->kind != kinds::replica_set() || object->ns() != deployment.ns() || is_terminating(*object) ||
        !is_owned_by(*object, deployment))
      continue;
    Set set{object, json::number(object->spec(), "replicas"),
            json::number(object->status(), "availableReplicas")};
    if (object->label(kHashLabel) == hash) {
      rollout.current = set;
    } else {
      rollout.old.push_back(set);
    }
  }
  std::ranges::sort(rollout.old, {}, [](const Set& set) { return revision_of(*set.object); });
  return rollout;
}

std::int64_t next_revision(const Rollout& rollout) {
  std::int64_t last = 0;
  for (const Set& set : rollout.old) last = std::max(last, revision_of(*set.object));
  return last + 1;
}

api::Object make_replica_set(const Rollout& rollout, const std::string& hash, std::int64_t replicas) {
  const api::Object& deployment = rollout.deployment;
  api::Json spec = {{"replicas", replicas},
                    {"selector", json::map(deployment.spec(), "selector")},
                    {"template", json::map(deployment.spec(), "template")}};
  spec["selector"]["matchLabels"][kHashLabel] = hash;
  spec["template"]["metadata"]["labels"][kHashLabel] = hash;
  api::Object set;
  set.kind = kinds::replica_set();
  set.body = {{"apiVersion", set.kind->api_version()},
              {"kind", std::string(set.kind->kind)},
              {"metadata",
               {{"name", std::string(deployment.name()) + "-" + hash},
                {"namespace", std::string(deployment.ns())},
                {"labels", spec["template"]["metadata"]["labels"]},
                {"annotations", {{kRevision, std::to_string(next_revision(rollout))}}},
                {"ownerReferences", api::Json::array({owner_reference(deployment)})}}},
              {"spec", spec}};
  return set;
}

void scale_to(Plan& plan, Set& set, std::int64_t replicas) {
  if (set.replicas == replicas) return;
  set.replicas = replicas;
  api::Object changed = *set.object;
  changed.body["spec"]["replicas"] = replicas;
  plan.push_back({Change::Kind::kUpdate, std::move(changed)});
}

/// None of its pods works any more.
bool is_empty(const Set& set) {
  const api::Json& status = set.object->status();
  return set.replicas == 0 && json::number(status, "replicas") == 0 &&
         json::number(status, "terminatingReplicas") == 0;
}

/// How many pods the current set may have now.
std::int64_t current_goal(const Rollout& rollout) {
  std::int64_t now = rollout.current ? rollout.current->replicas : 0;
  if (now >= rollout.desired) return rollout.desired;
  if (rollout.recreate) {
    const bool gone = std::ranges::all_of(rollout.old, is_empty);
    return gone ? rollout.desired : now;
  }
  std::int64_t room = rollout.desired + rollout.surge - rollout.total();
  return std::min(rollout.desired, now + std::max<std::int64_t>(room, 0));
}

/// Takes pods from old sets, oldest first, as far as enough available ones remain.
void shrink_old(Plan& plan, Rollout& rollout) {
  std::int64_t available = rollout.current ? rollout.current->available : 0;
  for (const Set& set : rollout.old) available += std::min(set.available, set.replicas);
  std::int64_t spare =
      rollout.recreate ? rollout.total() : available - (rollout.desired - rollout.unavailable);
  for (Set& set : rollout.old) {
    std::int64_t dead = std::max<std::int64_t>(set.replicas - set.available, 0);
    std::int64_t alive = std::clamp<std::int64_t>(spare, 0, set.replicas - dead);
    spare -= alive;
    scale_to(plan, set, set.replicas - dead - alive);
  }
}

void remove_history(Plan& plan, const Rollout& rollout) {
  auto keep = static_cast<std::size_t>(
      std::max<std::int64_t>(json::number(rollout.deployment.spec(), "revisionHistoryLimit", 10), 0));
  std::vector<const Set*> empty;
  for (const Set& set : rollout.old)
    if (is_empty(set)) empty.push_back(&set);
  for (std::size_t i = 0; i + keep < empty.size(); ++i)
    plan.push_back({Change::Kind::kRemove, *empty[i]->object});
}

api::Json status_of(const Rollout& rollout, const PlanContext& context) {
  std::int64_t replicas = 0, ready = 0, available = 0, updated = 0;
  auto count = [&](const Set& set) {
    replicas += json::number(set.object->status(), "replicas");
    ready += json::number(set.object->status(), "readyReplicas");
    available += json::number(set.object->status(), "availableReplicas");
  };
  for (const Set& set : rollout.old) count(set);
  if (rollout.current) {
    count(*rollout.current);
    updated = json::number(rollout.current->object->status(), "replicas");
  }
  const api::Json& before = json::list(rollout.deployment.status(), "conditions");
  bool enough = available >= rollout.desired - rollout.unavailable;
  bool done = updated == rollout.desired && available >= rollout.desired && replicas == updated;
  api::Json status = {{"observedGeneration", rollout.deployment.generation()}};
  for (auto [name, value] : {std::pair{"replicas", replicas},
                             {"updatedReplicas", updated},
                             {"readyReplicas", ready},
                             {"availableReplicas", available},
                             {"unavailableReplicas", std::max<std::int64_t>(rollout.desired - available, 0)}})
    if (value != 0) status[name] = value;
  status["conditions"] = api::Json::array(
      {make_condition({"Available", enough ? "True" : "False",
                       enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                       enough ? "Deployment has minimum availability."
                              : "Deployment does not have minimum availability."},
                      before, context.now),
       make_condition(
           {"Progressing", "True", done ? "NewReplicaSetAvailable" : "ReplicaSetUpdated",
            done ? "The newest ReplicaSet has all its pods." : "The newest ReplicaSet is progressing."},
           before, context.now)});
  return status;
}

}  // namespace

Plan plan_deployments(const ObjectSnapshot& snapshot, PlanContext& context) {
  Plan plan;
  View view(snapshot, context);
  view.each(kinds::deployment(), plan, [&](const api::ObjectPtr& deployment) {
    if (is_terminating(*deployment)) return;
    std::string hash = name_hash(json::canonical(json::map(deployment->spec(), "template")));
    Rollout rollout = read_rollout(view.links(), *deployment, hash);
    bool paused = json::boolean(deployment->spec(), "paused");
    if (!rollout.current && !paused) {
      plan.push_back({Change::Kind::kCreate, make_replica_set(rollout, hash, current_goal(rollout))});
    } else if (rollout.current) {
      scale_to(plan, *rollout.current, current_goal(rollout));
    }
    if (rollout.current) shrink_old(plan, rollout);
    remove_history(plan, rollout);
    set_status(plan, *deployment, status_of(rollout, context));
  });
  return plan;
}

}  // namespace weft::control

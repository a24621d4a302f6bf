#include <algorithm>
#include <optional>
#include <set>

#include "base/strings.h"
#include "control/controllers/view.h"
#include "control/json.h"
#include "control/remarks/remarks.h"
#include "control/translation/parts.h"

namespace weft::control {
namespace {

/// What stands in a condition that is not as it should be: its texts, each once.
std::string texts_of(const Remarks& remarks, Remark::Kind kind) {
  std::set<std::string> texts;
  for (const Remark& each : remarks)
    if (each.kind == kind)
      texts.insert(kind == Remark::Kind::kUnsupported && !each.field.empty() ? each.field + ": " + each.text
                                                                             : each.text);
  return join(std::vector<std::string>(texts.begin(), texts.end()), "; ");
}

/// In the words of Istio's analysis where it has one for it.
api::Json message_of(const Remark& remark) {
  struct Row {
    const char *code, *name, *level;
  };
  Row row{"IST0101", "ReferencedResourceNotFound", "WARNING"};
  if (remark.kind == Remark::Kind::kUnsupported) row = {"IST0106", "SchemaValidationError", "ERROR"};
  if (remark.kind == Remark::Kind::kNoEffect) row = {"WEFT0001", "NoEffect", "WARNING"};
  return {{"type", {{"code", row.code}, {"name", row.name}}},
          {"level", row.level},
          {"message", remark.field.empty() ? remark.text : remark.field + ": " + remark.text}};
}

api::Json rejection_message(const std::string& text) {
  return {{"type", {{"code", "IST0106"}, {"name", "Rejected"}}}, {"level", "ERROR"}, {"message", text}};
}

/// An object of which nothing needs saying, and never was, keeps its empty status: no write for the common
/// case.
void set_rule_status(Plan& plan, const api::Object& object, const Remarks& remarks,
                     const PlanContext& context) {
  auto rejected = context.rejections.find(object.key());
  bool is_rejected = rejected != context.rejections.end();
  if (remarks.empty() && !is_rejected && object.status().empty()) return;
  const api::Json& before = json::list(object.status(), "conditions");
  api::Json status = object.status();
  if (!status.is_object()) status = api::Json::object();
  api::Json conditions = api::Json::array();
  auto add = [&](std::string_view type, std::string_view value, std::string_view reason, std::string text) {
    conditions.push_back(make_condition({type, value, reason, std::move(text)}, before, context.now));
  };
  std::string waits = texts_of(remarks, Remark::Kind::kWaits);
  add("Resolved", waits.empty() ? "True" : "False", waits.empty() ? "AllFound" : "Waiting",
      waits.empty() ? "everything it names is there" : waits);
  if (std::string texts = texts_of(remarks, Remark::Kind::kUnsupported); !texts.empty())
    add("Accepted", "False", "Unsupported", std::move(texts));
  if (std::string texts = texts_of(remarks, Remark::Kind::kNoEffect); !texts.empty())
    add("Effective", "False", "NoEffect", std::move(texts));
  api::Json messages = api::Json::array();
  for (const Remark& each : remarks) messages.push_back(message_of(each));
  if (is_rejected) {
    add("Applied", "False", "Rejected", rejected->second);
    messages.push_back(rejection_message(rejected->second));
  }
  status["conditions"] = std::move(conditions);
  status["validationMessages"] = std::move(messages);
  if (status["validationMessages"].empty()) status.erase("validationMessages");
  set_status(plan, object, std::move(status));
}

/// The rule that was made of `object`; null when there is none.
template <class Rule>
const Rule* rule_of(const MadeOf<Rule>& rules_by_name, const api::ObjectPtr& object) {
  const auto found = std::ranges::partition_point(
      rules_by_name, [&](const auto& rule) { return precedes(*rule->object, *object); });
  return found != rules_by_name.end() && (*found)->object == object ? found->get() : nullptr;
}

Plan plan_rules(const ObjectSnapshot& snapshot, PlanContext& context, Ground ground) {
  Plan plan;
  View view(snapshot, context);
  std::optional<Scene> made;
  const auto scene = [&]() -> const Scene& { return made ? *made : made.emplace(view.push(), ground); };
  view.each(kinds::virtual_service(), plan, [&](const api::ObjectPtr& object) {
    if (const auto* rule = rule_of(view.push().rules.virtual_services_by_name(), object))
      set_rule_status(plan, *object, remarks_on(*rule, scene()), context);
  });
  view.each(kinds::destination_rule(), plan, [&](const api::ObjectPtr& object) {
    if (const auto* rule = rule_of(view.push().rules.destination_rules_by_name(), object))
      set_rule_status(plan, *object, remarks_on(*rule, scene()), context);
  });
  view.each(kinds::gateway(), plan, [&](const api::ObjectPtr& object) {
    const auto* gateway = snapshot.typed().find<api::istio::Gateway>(object->ns(), object->name());
    if (gateway) set_rule_status(plan, *object, remarks_on(*gateway, scene()), context);
  });
  return plan;
}

/// With the address that it is reached at.
void set_ingress_status(Plan& plan, const ObjectSnapshot& snapshot, const api::Object& ingress,
                        const Remarks& remarks, const PlanContext& context) {
  api::ObjectPtr gateway =
      snapshot.find({kinds::service(), std::string(kRootNamespace), std::string(kIngressService)});
  api::Json balancer = gateway ? json::map(gateway->status(), "loadBalancer") : api::Json::object();
  if (json::list(balancer, "ingress").empty())
    balancer = {{"ingress", api::Json::array({{{"ip", "127.0.0.1"}}})}};
  api::Object changed = ingress;
  changed.body["status"]["loadBalancer"] = std::move(balancer);
  Plan waiting;
  set_rule_status(waiting, changed, remarks, context);
  api::Json status = waiting.empty() ? changed.status() : waiting.front().object.status();
  set_status(plan, ingress, std::move(status));
}

}  // namespace

Plan plan_rule_statuses(const ObjectSnapshot& snapshot, PlanContext& context) {
  return plan_rules(snapshot, context, Ground::kOneMachine);
}

Plan plan_cluster_rule_statuses(const ObjectSnapshot& snapshot, PlanContext& context) {
  return plan_rules(snapshot, context, Ground::kCluster);
}

Plan plan_ingresses(const ObjectSnapshot& snapshot, PlanContext& context) {
  Plan plan;
  View view(snapshot, context);
  std::optional<Scene> scene;
  view.each(kinds::ingress(), plan, [&](const api::ObjectPtr& object) {
    const auto* ingress = snapshot.typed().find<api::networking::Ingress>(object->ns(), object->name());
    if (!ingress || !is_our_ingress(snapshot, *ingress)) return;
    if (!scene) scene.emplace(view.push(), Ground::kOneMachine);
    set_ingress_status(plan, snapshot, *object, remarks_on(*ingress, *scene), context);
  });
  return plan;
}

}  // namespace weft::control

#include <array>

#include "control/controllers/view.h"

namespace weft::control {
namespace {

constexpr std::array<std::string_view, 2> kAlways = {"default", "istio-system"};

api::Object make(const api::KindInfo* kind, std::string_view ns, std::string_view name) {
  api::Object object;
  object.kind = kind;
  object.body = {{"apiVersion", kind->api_version()},
                 {"kind", std::string(kind->kind)},
                 {"metadata", {{"name", std::string(name)}}}};
  if (!ns.empty()) object.body["metadata"]["namespace"] = std::string(ns);
  return object;
}

}  // namespace

Plan plan_namespaces(const ObjectSnapshot& snapshot, PlanContext& context) {
  Plan plan;
  View view(snapshot, context);
  for (std::string_view name : kAlways)
    if (!snapshot.find({kinds::name_space(), "", std::string(name)}))
      plan.push_back({Change::Kind::kCreate, make(kinds::name_space(), "", name)});
  view.each(kinds::name_space(), plan, [&](const api::ObjectPtr& ns) {
    if (!is_terminating(*ns) &&
        !snapshot.find({kinds::service_account(), std::string(ns->name()), "default"}))
      plan.push_back({Change::Kind::kCreate, make(kinds::service_account(), ns->name(), "default")});
  });
  return plan;
}

}  // namespace weft::control

#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "control/controllers/links.h"
#include "control/object_snapshot.h"
#include "inject/settings.h"

namespace weft::control {

struct PushContext;

/// One write that a controller wants done.
struct Change {
  enum class Kind : std::uint8_t { kCreate, kUpdate, kUpdateStatus, kRemove };
  Kind kind = Kind::kCreate;
  api::Object object;  ///< for kRemove only its kind, namespace and name matter
};

using Plan = std::vector<Change>;

/// What a controller reads beside the snapshot.
struct PlanContext {
  Random& random;                                   ///< for names
  std::string now;                                  ///< RFC 3339 UTC, for conditions
  std::map<api::Key, std::string> rejections = {};  ///< rules that a proxy rejected, and what it said
  const inject::Settings* injection = nullptr;      ///< for pods that are made here; null: the defaults

  // What saves a plan work, all of it of the same snapshot; by default it does the work itself.
  const Scope* scope = nullptr;                   ///< what is to be looked at; null: every object
  const LinkIndex* links = nullptr;               ///< null: made from the snapshot
  std::function<const PushContext&()> push = {};  ///< empty: made from the snapshot
  /// Comes back: the objects for which something is to be written. Until it is, they have to be looked at.
  std::vector<api::Key> unsettled = {};
};

/// A controller is a function from the snapshot to the writes that bring it nearer to what its objects ask
/// for: of every object, or of those in PlanContext::scope as it would for every object. It remembers
/// nothing, so it may run at any time, any number of times, after any crash; when nothing is left to do the
/// plan is empty. What it says of one object follows from that object and from what Links of it name
/// (decision 0086).
struct Controller {
  std::string_view name;
  std::vector<const api::KindInfo*> reads;  ///< it runs again when one of these kinds has changed
  Plan (*plan)(const ObjectSnapshot& snapshot, PlanContext& context);
  bool reads_rejections = false;  ///< it runs again when what proxies rejected has changed
};

/// All controllers, in the order in which one's writes are the next one's work.
std::vector<Controller> all_controllers();
/// Those that a Kubernetes cluster does not have itself.
std::vector<Controller> cluster_controllers();

Plan plan_namespaces(const ObjectSnapshot& snapshot, PlanContext& context);
Plan plan_deployments(const ObjectSnapshot& snapshot, PlanContext& context);
Plan plan_replica_sets(const ObjectSnapshot& snapshot, PlanContext& context);
Plan plan_services(const ObjectSnapshot& snapshot, PlanContext& context);
Plan plan_endpoint_slices(const ObjectSnapshot& snapshot, PlanContext& context);
Plan plan_ingresses(const ObjectSnapshot& snapshot, PlanContext& context);
/// .status.loadBalancer of our Ingresses: an Ingress of Kubernetes has no conditions.
Plan plan_cluster_ingresses(const ObjectSnapshot& snapshot, PlanContext& context);
/// The Gateway API's GatewayClass "istio", and what there is to say of Gateways and HTTPRoutes of our
/// classes. On one machine every Gateway is the ingress gateway; on a cluster each is a Deployment of its
/// own.
Plan plan_local_gateways(const ObjectSnapshot& snapshot, PlanContext& context);
Plan plan_cluster_gateways(const ObjectSnapshot& snapshot, PlanContext& context);
/// What VirtualServices, DestinationRules and Gateways wait for, what of them has no effect, and what proxies
/// rejected.
Plan plan_rule_statuses(const ObjectSnapshot& snapshot, PlanContext& context);
Plan plan_cluster_rule_statuses(const ObjectSnapshot& snapshot, PlanContext& context);

// What several controllers share.

/// The object with another status, to be written when it differs from the present one.
void set_status(Plan& plan, const api::Object& object, api::Json status);
/// {"apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"}
api::Json owner_reference(const api::Object& owner);
bool is_owned_by(const api::Object& object, const api::Object& owner);
bool is_terminating(const api::Object& object);
/// Condition "Ready" of a Pod is "True".
bool is_ready(const api::Object& pod);
/// Letters and digits as Kubernetes uses in generated names: no vowels, nothing that reads as something else.
std::string name_suffix(Random& random);
/// The same alphabet, from a text: up to 10 characters, equal for equal texts.
std::string name_hash(std::string_view text);
/// Values of label "istio" on the pods of gateways that take Ingresses.
bool is_gateway_role(std::string_view role);
/// The Service of one machine's gateway, in kRootNamespace.
inline constexpr std::string_view kIngressService = "istio-ingressgateway";
/// A condition for .status.conditions; keeps `before`'s lastTransitionTime while its status is the same.
struct Condition {
  std::string_view type, status, reason;
  std::string message;
};
api::Json make_condition(const Condition& condition, const api::Json& before, const std::string& now);

}  // namespace weft::control

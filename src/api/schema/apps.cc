#include "api/schema/formats.h"
#include "api/schema/tables.h"

namespace weft::api {
namespace {

constexpr Field kRollingUpdateFields[] = {int_or_text("maxSurge", percentage),
                                          int_or_text("maxUnavailable", percentage)};
constexpr Schema kRollingUpdate{kRollingUpdateFields};
constexpr std::string_view kStrategies[] = {"RollingUpdate", "Recreate"};
constexpr Field kStrategyFields[] = {one_of("type", kStrategies), object("rollingUpdate", kRollingUpdate)};
constexpr Schema kStrategy{kStrategyFields};

constexpr std::int64_t kMaxReplicas = 1000;  // of `weft scale`, too: each is processes on this machine

constexpr Field kDeploymentSpecFields[] = {
    integer("replicas", 0, kMaxReplicas),
    object("selector", kLabelSelectorSchema),
    object("template", kPodTemplate).required(),
    object("strategy", kStrategy),
    integer("minReadySeconds"),
    integer("revisionHistoryLimit"),
    integer("progressDeadlineSeconds"),
    flag("paused"),
    later("rollbackTo", "apply the older template").even_empty(),
};
constexpr Schema kDeploymentSpec{kDeploymentSpecFields};
constexpr Field kDeploymentFields[] = {api_version(), kind(), metadata(),
                                       object("spec", kDeploymentSpec).required(), status()};

constexpr Field kReplicaSetSpecFields[] = {
    integer("replicas", 0, kMaxReplicas),
    object("selector", kLabelSelectorSchema),
    object("template", kPodTemplate).required(),
    integer("minReadySeconds"),
};
constexpr Schema kReplicaSetSpec{kReplicaSetSpecFields};
constexpr Field kReplicaSetFields[] = {api_version(), kind(), metadata(),
                                       object("spec", kReplicaSetSpec).required(), status()};

}  // namespace

constexpr Schema kDeployment{kDeploymentFields};
constexpr Schema kReplicaSet{kReplicaSetFields};

}  // namespace weft::api

#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/translation/translate.h"

namespace weft::control {

/// Something to tell the writer of an object that is stored: it is not, or not wholly, in effect.
struct Remark {
  enum class Kind : std::uint8_t {
    kUnsupported,  ///< weft does not do it, or it is wrong; stored past the webhook
    kWaits,        ///< names what is not there (yet)
    kNoEffect,     ///< something else decides, or nothing here is concerned with it
  };
  Kind kind = Kind::kWaits;
  std::string field;  ///< "spec.http[0].route[0].destination.subset"; empty: the whole object
  std::string text;   ///< one line without a final dot, with what there is instead
};
using Remarks = std::vector<Remark>;

/// Where the mesh runs: some objects have an effect on a cluster only.
enum class Ground : std::uint8_t { kOneMachine, kCluster };

/// What the functions below read, and what several of them look up. Must not outlive its parts.
class Scene {
 public:
  Scene(const ObjectSnapshot& snapshot, const Registry& registry, const Rules& rules, Ground ground);
  Scene(const PushContext& push, Ground ground) : Scene(*push.snapshot, push.registry, push.rules, ground) {}

  const ObjectSnapshot& snapshot;
  const Registry& registry;
  const Rules& rules;
  const Ground ground;

  /// The rules of the mesh that name exactly this host, oldest first.
  std::vector<const VirtualService*> mesh_rules(const std::string& host) const;
  /// The DestinationRules of a namespace for exactly this host, oldest first.
  std::vector<const DestinationRule*> destination_rules(std::string_view ns, const std::string& host) const;
  /// The oldest of our Ingresses that has "host path pathType".
  const std::map<std::string, api::ObjectPtr>& ingress_paths() const;
  /// The oldest Service of each address.
  const std::map<std::string, api::ObjectPtr>& addresses() const;
  /// "; did you mean reviews?", or what there is; empty when there is nothing like it.
  std::string services_like(std::string_view host, std::string_view ns) const;

 private:
  mutable std::optional<std::map<std::string, api::ObjectPtr>> ingress_paths_, addresses_;
};

// Pure functions; the order of what they return is that of the object's fields.
Remarks remarks_on(const VirtualService& rule, const Scene& scene);
Remarks remarks_on(const DestinationRule& rule, const Scene& scene);
Remarks remarks_on(const Typed<api::istio::Gateway>& gateway, const Scene& scene);
Remarks remarks_on(const Typed<api::networking::Ingress>& ingress, const Scene& scene);
Remarks remarks_on_service(const api::Object& service, const Scene& scene);
/// A Pod, or what makes Pods: what one machine accepts and does not do.
Remarks remarks_on_workload(const api::Object& workload, const Scene& scene);
Remarks remarks_on(const ApiGateway& gateway, const Scene& scene);
Remarks remarks_on(const ApiRoute& route, const Scene& scene);

/// Of every object that there is something to say about.
std::map<api::Key, Remarks> all_remarks(const PushContext& push, Ground ground);
/// Of those objects that `wanted` accepts; each is asked for by its place in the push's snapshot.
std::map<api::Key, Remarks> remarks_on_those(const PushContext& push, Ground ground,
                                             const std::function<bool(const api::Object&)>& wanted);
/// {"remarks": [{kind, group, namespace, name, remark, field, message}]}; `remark` is "Unsupported",
/// "Waiting" or "NoEffect".
api::Json remarks_json(const std::map<api::Key, Remarks>& remarks);
std::string_view to_string(Remark::Kind kind);

// What several of them use.
/// "spec.hosts[2]"
std::string item(std::string_view list, std::size_t index);
/// "a, b, c and 4 more"
std::string some_of(const std::vector<std::string>& names);
/// "; did you mean x?" when one is near, else "; there are a, b", else nothing.
std::string instead_of(std::string_view word, const std::vector<std::string>& names);
/// What ObjectSnapshot::faults has.
void add_faults(Remarks& remarks, const api::Object& object, const Scene& scene);

}  // namespace weft::control

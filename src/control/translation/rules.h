#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/registry.h"
#include "control/world.h"

namespace weft::control {

/// The name in `gateways` that means every sidecar.
inline constexpr std::string_view kMesh = "mesh";

/// DestinationRules here hold for the whole mesh where no namespace says otherwise.
inline constexpr std::string_view kRootNamespace = "istio-system";

/// A VirtualService with its names made full.
struct VirtualService {
  api::ObjectPtr object;
  std::vector<std::string> hosts;
  std::vector<std::string> gateways;  ///< kMesh or "namespace/name"
  bool exported = true;               ///< also to other namespaces
  /// "http[0].match[1]": matches that ask for what weft cannot tell. No request is theirs: a rule that is
  /// narrower than we can see must not become wider.
  std::set<std::string, std::less<>> unreadable = {};
  bool applies_to(std::string_view gateway) const;
  bool has_http_routes() const;  ///< an empty list is none
  bool visible_from(std::string_view ns) const { return exported || object->ns() == ns; }
};

struct Subset {
  std::string name;
  Labels labels;
  const api::Json* policy;  ///< trafficPolicy; never null
};

/// A DestinationRule with its host made full.
struct DestinationRule {
  api::ObjectPtr object;
  std::string host;
  bool exported = true;
};

/// What DestinationRules say about one host: the policy for all of it, and its subsets.
struct Destination {
  const api::Json* policy;  ///< never null
  std::vector<Subset> subsets;
  std::vector<api::ObjectPtr> objects;
};

/// Where in a list of rules those stand that name a host, so that a look-up costs no look at every rule.
class HostIndex {
 public:
  void add(const std::string& pattern, std::size_t position);
  /// Rules that name exactly this, in the order in which they were added.
  const std::vector<std::size_t>& exact(std::string_view host) const;
  /// Rules with "*" or "*.example.com", in the order in which they were added.
  const std::vector<std::size_t>& wildcards() const { return wildcards_; }

 private:
  std::map<std::string, std::vector<std::size_t>, std::less<>> exact_;
  std::vector<std::size_t> wildcards_;
};

/// The user's rules by what they are looked up by. Immutable; lives no longer than the registry and world it
/// was made from.
class Rules {
 public:
  Rules(const World& world, const Registry& registry);

  const std::vector<VirtualService>& virtual_services() const { return virtual_services_; }  ///< oldest first
  const std::vector<DestinationRule>& destination_rules() const { return destination_rules_; }  ///< as well
  /// The rule for calls to `host` from sidecars in `ns`: an exact host before the longest wildcard, the
  /// oldest first.
  const VirtualService* for_mesh(std::string_view host, std::string_view ns) const;
  /// The rules of one gateway ("namespace/name") that its pods in `ns` may see (exportTo), oldest first.
  std::vector<const VirtualService*> for_gateway(std::string_view gateway, std::string_view ns) const;
  /// For clients in `ns`: the rules of their own namespace, else those of the service's, else those of
  /// kRootNamespace. A client in kRootNamespace (a gateway, mostly) has for its own only what is for that
  /// namespace alone: what holds for the whole mesh is still the last to be asked.
  Destination destination(std::string_view host, std::string_view ns) const;

 private:
  void read_virtual_services(const World& world, const Registry& registry);
  enum class Among : std::uint8_t { kVisible, kUnexported };
  std::vector<const DestinationRule*> best_match(std::string_view host, std::string_view rule_ns,
                                                 std::string_view client_ns,
                                                 Among among = Among::kVisible) const;

  std::vector<VirtualService> virtual_services_;
  std::vector<DestinationRule> destination_rules_;
  HostIndex mesh_hosts_;         ///< into virtual_services_: those that apply to sidecars
  HostIndex destination_hosts_;  ///< into destination_rules_
};

/// "namespace/name" of a gateway that a rule in `ns` names as "name", "namespace/name", "./name",
/// "name.namespace" or "name.namespace.svc.cluster.local"; kMesh stays.
std::string gateway_name(std::string_view written, std::string_view ns);

/// Which of two rules comes first: the older, and any before one that is not stored yet; of equals by
/// namespace and name.
bool older(const api::ObjectPtr& a, const api::ObjectPtr& b);

/// How well `pattern` ("*", "*.example.com", an exact name) matches: 0 not at all, larger is more specific.
std::size_t host_match(std::string_view pattern, std::string_view host);

}  // namespace weft::control

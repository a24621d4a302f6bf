#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/carry_over.h"
#include "control/names.h"
#include "control/object_snapshot.h"
#include "control/registry.h"
#include "control/shared_list.h"

namespace weft::control {

/// The name in `gateways` that means every sidecar.
inline constexpr std::string_view kMesh = "mesh";

/// DestinationRules here hold for the whole mesh where no namespace says otherwise.
inline constexpr std::string_view kRootNamespace = "istio-system";

/// How a call comes to a rule: what matches ask for besides the request itself. Lives no longer than its
/// parts.
struct Approach {
  std::string_view gateway;  ///< kMesh or "namespace/name"
  std::uint16_t port = 0;    ///< that it was sent to
  const Labels& labels;      ///< of the caller
};
/// Which of a rule's lists of routes is meant.
enum class Layer : std::uint8_t { kHttp, kTcp };

/// A VirtualService with its names made full.
struct VirtualService {
  api::ObjectPtr object;
  std::shared_ptr<const api::istio::VirtualService> spec;
  std::vector<std::string> hosts = {};
  std::vector<std::string> gateways = {};  ///< kMesh or "namespace/name"
  /// Matches that the checks of stored objects find fault with, beside those that are not understood at all.
  std::vector<api::Place> faulty_matches = {};
  Names asks = {};           ///< services by whose coming, going or changing the rule may mean something else
  Names source_labels = {};  ///< keys of labels of the caller that a match asks for
  std::uint64_t meaning = 0;  ///< another number when what the rule says, or means, may be something else
  bool applies_to(std::string_view gateway) const;
  bool visible_from(std::string_view ns) const { return spec->exported || object->ns() == ns; }
  /// False: the match asks for what weft cannot tell. No request is its own: a rule that is narrower than we
  /// can see must not become wider.
  bool can_tell(const api::istio::MatchScope& match) const;
  /// Whether the match holds for some of the calls that come so.
  bool holds(const api::istio::MatchScope& match, const Approach& call) const;
  /// The same by what weft can tell of the match, which may ask for more.
  bool may_hold(const api::istio::MatchScope& match, const Approach& call) const;
  /// Whether the rule has a route for some of the calls that come so, or a match of which weft cannot tell:
  /// those are not another rule's.
  bool decides(Layer layer, const Approach& call) const;
};

/// A DestinationRule with its host made full.
struct DestinationRule {
  api::ObjectPtr object;
  std::shared_ptr<const api::istio::DestinationRule> spec;
  std::string host;
  Names asks = {};
  std::uint64_t meaning = 0;
};

/// What DestinationRules say about one host: the policy for all of it, and its subsets.
struct Destination {
  const api::istio::TrafficPolicy* policy = nullptr;  ///< null: none
  std::vector<const api::istio::Subset*> subsets = {};
};
/// Of these, of which the first that says something holds. Lives no longer than they.
Destination destination_of(std::span<const api::istio::DestinationRule* const> rules);

/// Which rules of a list name a host or a gateway, so that a look-up costs no look at every rule. Immutable.
/// It knows rules by their places in the list, so that it serves each list that has rules for the same names
/// in the same places.
template <class Rule>
class RuleIndex {
 public:
  using List = std::shared_ptr<const MadeOf<Rule>>;
  RuleIndex() = default;
  /// Of `rules`, oldest first.
  explicit RuleIndex(List rules);
  /// Places of the rules that name exactly this host, or gateway, oldest first.
  std::vector<std::size_t> exact(std::string_view host) const { return places_in(hosts_, host); }
  std::vector<std::size_t> of_gateway(std::string_view gateway) const {
    return places_in(gateways_, gateway);
  }
  /// Of those with "*" or "*.example.com", oldest first.
  const std::vector<std::size_t>& wildcards() const { return wildcards_; }
  /// Keys of labels that rules ask callers for.
  const Names& source_labels() const { return source_labels_; }

 private:
  struct Entry {
    std::string_view name;
    std::size_t place;
    auto operator<=>(const Entry&) const = default;
  };
  using Entries = std::vector<Entry>;  ///< sorted, each once
  static void sort(Entries& entries);
  static std::vector<std::size_t> places_in(const Entries& entries, std::string_view name);

  List rules_;  ///< has the names' texts
  Entries hosts_, gateways_;
  std::vector<std::size_t> wildcards_;
  Names source_labels_;
};

/// The user's rules by what they are looked up by. Immutable. What has not changed since earlier rules is the
/// same in memory in both, and means the same when its number says so.
class Rules {
 public:
  Rules() = default;
  Rules(const ObjectSnapshot& snapshot, const Registry& registry)
      : Rules(snapshot, registry, ObjectSnapshot(), Registry(), Rules()) {}
  /// `old` was read from `old_snapshot` and `old_registry`.
  Rules(const ObjectSnapshot& snapshot, const Registry& registry, const ObjectSnapshot& old_snapshot,
        const Registry& old_registry, const Rules& old);

  SharedList<VirtualService> virtual_services() const {  ///< oldest first
    return SharedList<VirtualService>(*virtual_services_.by_age);
  }
  SharedList<DestinationRule> destination_rules() const {  ///< as well
    return SharedList<DestinationRule>(*destination_rules_.by_age);
  }
  /// By namespace, then name.
  const MadeOf<VirtualService>& virtual_services_by_name() const { return *virtual_services_.by_name; }
  const MadeOf<DestinationRule>& destination_rules_by_name() const { return *destination_rules_.by_name; }
  /// Keys of labels that rules ask callers for.
  const Names& source_labels() const { return virtual_services_.index->source_labels(); }
  /// The rule for calls to `host` from sidecars in `ns`: of those that name it exactly, or else by the
  /// longest wildcard, the oldest that decides. Null: none does.
  const VirtualService* for_mesh(std::string_view host, std::string_view ns, Layer layer,
                                 const Approach& call) const;
  /// The rules for sidecars that name exactly this host, and the DestinationRules that do, oldest first.
  std::vector<const VirtualService*> mesh_rules_naming(std::string_view host) const {
    return virtual_services_.naming(host);
  }
  std::vector<const DestinationRule*> destination_rules_naming(std::string_view host) const {
    return destination_rules_.naming(host);
  }
  /// The rules of one gateway ("namespace/name") that its pods in `ns` may see (exportTo), oldest first.
  std::vector<const VirtualService*> for_gateway(std::string_view gateway, std::string_view ns) const;
  /// For clients in `ns`: the rules of their own namespace, else those of the service's, else those of
  /// kRootNamespace. A client in kRootNamespace (a gateway, mostly) has for its own only what is for that
  /// namespace alone: what holds for the whole mesh is still the last to be asked.
  Destination destination(std::string_view host, std::string_view ns) const;

 private:
  /// The rules of one kind.
  template <class Rule>
  struct OfKind {
    using List = std::shared_ptr<const MadeOf<Rule>>;
    List by_name = std::make_shared<MadeOf<Rule>>(), by_age = by_name;
    std::shared_ptr<const RuleIndex<Rule>> index = std::make_shared<RuleIndex<Rule>>();  ///< of `by_age`

    /// `renewed`: those there are now, by name.
    OfKind with(List renewed) const;
    const Rule& at(std::size_t place) const { return *(*by_age)[place]; }
    std::vector<const Rule*> naming(std::string_view host) const;
  };
  enum class Among : std::uint8_t { kVisible, kUnexported };
  std::vector<const DestinationRule*> best_match(std::string_view host, std::string_view rule_ns,
                                                 std::string_view client_ns,
                                                 Among among = Among::kVisible) const;

  OfKind<VirtualService> virtual_services_;
  OfKind<DestinationRule> destination_rules_;
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

#pragma once

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "proxy/config.h"
#include "xds/resource.h"

namespace weft::xds {

/// Why a resource is not in force as it was sent.
struct Refusal {
  std::string reason;
  std::string version;
  std::string bytes;
  std::chrono::system_clock::time_point when;
};

/// What the proxy has been given, what of it is in force, and how the one becomes the other.
///
/// Each kind of resource has two shelves: what was accepted last, and what the running snapshot is made of.
/// They differ while something warms: a cluster that has no endpoints yet, a listener whose route table has
/// not come, keep their predecessor running (or nothing, at first). What is needed and was rejected is not
/// waited for: it goes without, and answers so. build() makes the next snapshot; commit()
/// or reject() says how that went. Owner: whoever drives the proxy. Thread: one. Pure: time comes from
/// outside.
class Catalog {
 public:
  using Shelf = std::map<std::string, ResourcePtr, std::less<>>;
  using Refusals = std::map<std::string, Refusal, std::less<>>;

  Catalog(const std::vector<ResourcePtr>& static_clusters, const std::vector<ResourcePtr>& static_listeners);

  /// Accepts one resource; it replaces that of the same name.
  void put(Type type, ResourcePtr resource);
  void refuse(Type type, const std::string& name, Refusal refusal);
  /// Drops what was accepted and is not in `names`: for kinds whose responses are complete.
  void keep_only(Type type, const std::set<std::string>& names);
  bool is_static(Type type, std::string_view name) const { return statics_[index(type)].contains(name); }

  /// The endpoints or route tables that clusters or listeners, accepted or running, refer to.
  std::set<std::string> wanted(Type type) const;
  /// Starts waiting for what is newly wanted, and drops what nobody wants any more.
  void follow_references(TimePoint now);

  /// The snapshot that is right at `now`; null when it would be the one that runs.
  proxy::SnapshotPtr build(TimePoint now);
  /// Every worker runs what build() made last.
  void commit();
  /// It could not be applied. Puts what is to blame back to what runs, and says what that was: at least one
  /// of what changed, unless nothing has.
  struct Blamed {
    Type type;
    std::string name;
  };
  std::vector<Blamed> reject(const std::string& reason);

  /// When something that still waits gives up waiting; kNever when nothing does.
  TimePoint next_deadline(TimePoint now) const;
  /// Whether something accepted is not in force because it waits.
  bool warming(TimePoint now) const;

  const Shelf& statics(Type type) const { return statics_[index(type)]; }
  const Shelf& accepted(Type type) const { return accepted_[index(type)]; }
  const Shelf& running(Type type) const { return running_[index(type)]; }
  const Refusals& refusals(Type type) const { return refusals_[index(type)]; }

 private:
  static constexpr std::size_t index(Type type) { return static_cast<std::size_t>(type); }
  using Shelves = std::array<Shelf, kAllTypes.size()>;
  /// A cluster's configuration with the endpoints of one EDS answer.
  struct Joined {
    ResourcePtr cluster, endpoints;
    std::shared_ptr<const proxy::ClusterConfig> config;
  };

  bool has(Type type, std::string_view name) const;
  bool is_warm(Type dependent, const Resource& resource, TimePoint now) const;
  Shelf choose(Type type, TimePoint now) const;
  std::shared_ptr<const proxy::ClusterConfig> join(const ResourcePtr& cluster);
  bool blame(Type type, const std::string& reason, bool only_named, std::vector<Blamed>& blamed);

  Shelves statics_, accepted_, running_, next_;
  std::array<Refusals, kAllTypes.size()> refusals_;
  /// Until when what is wanted and not there is waited for, by kind and name.
  std::array<std::map<std::string, TimePoint, std::less<>>, kAllTypes.size()> deadlines_;
  std::map<std::string, Joined, std::less<>> joined_;
  std::uint64_t generation_ = 0;
  bool built_ = false;
};

}  // namespace weft::xds

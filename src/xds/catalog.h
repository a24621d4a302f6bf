#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "proxy/config.h"
#include "proxy/named_list.h"
#include "xds/resource.h"

namespace weft::xds {

/// Why a resource is not applied as it was sent.
struct Rejection {
  std::string reason;
  std::string version;
  std::chrono::system_clock::time_point when;
};

/// The names that resources refer to, sorted, each once. A value; the names are those of the resources, which
/// it keeps.
class Names {
 public:
  void add(const proxy::NamedList<Resource>& resources, Type type);
  /// After the last add().
  void sort();
  const std::vector<std::string_view>& list() const { return list_; }
  bool operator==(const Names& other) const { return list_ == other.list_; }

 private:
  std::vector<std::string_view> list_;
  std::vector<proxy::NamedList<Resource>> owners_;
};

/// What the proxy has been given, what of it is applied, and how the one becomes the other.
///
/// Each type of resource has two sets: what was accepted last, and what the running snapshot is made of.
/// They differ while something warms: a cluster that has no endpoints yet, a listener whose route table has
/// not come, keep their predecessor running (or nothing, at first). What is needed and was rejected is not
/// waited for: it goes without, and answers so. build() makes the next snapshot; commit() or reject() says
/// how that went.
///
/// What a change has nothing to do with is not looked at again: sets share their memory with the snapshots
/// and with each other, and which resources are warm is remembered until others come or go.
///
/// Owner: the proxy's program, or a test. Thread: one. Pure: time comes from outside.
class Catalog {
 public:
  using ResourceList = proxy::NamedList<Resource>;
  using Rejections = std::map<std::string, Rejection, std::less<>>;
  using NamesPtr = std::shared_ptr<const Names>;

  Catalog(const std::vector<ResourcePtr>& static_clusters, const std::vector<ResourcePtr>& static_listeners);

  /// Accepts resources of different names; each replaces that of its name.
  void put(Type type, std::vector<ResourcePtr> resources);
  void put(Type type, ResourcePtr resource) { put(type, std::vector{std::move(resource)}); }
  /// The one that is accepted has come again.
  void confirm(Type type, std::string_view name);
  void reject(Type type, std::string_view name, Rejection rejection);
  /// Drops what was accepted or rejected and is not in `names`: for types whose responses are complete.
  using NameSet = std::set<std::string_view>;
  void keep_only(Type type, const NameSet& names);
  /// Drops these, whether they were accepted or rejected.
  void drop(Type type, const NameSet& names);
  bool is_static(Type type, std::string_view name) const { return of(type).statics.contains(name); }

  /// The resources of this type that others, accepted or running, refer to. The same pointer while those are
  /// the same.
  NamesPtr wanted(Type type) const;
  /// Starts waiting for what is newly wanted, and drops what is not wanted any more.
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
    bool replaced = false;  ///< another form has come in the meantime, or it has gone: that is not touched
  };
  std::vector<Blamed> reject(const std::string& reason);

  /// When something that still waits goes on without; kNever when nothing does.
  TimePoint next_deadline(TimePoint now) const;
  /// Whether something accepted is not applied because it waits.
  bool warming(TimePoint now) const;

  const ResourceList& statics(Type type) const { return of(type).statics; }
  const ResourceList& accepted(Type type) const { return of(type).accepted; }
  const ResourceList& running(Type type) const { return of(type).running; }
  const Rejections& rejections(Type type) const { return of(type).rejections; }

 private:
  /// How often the names of each type that are there, or rejected, have become others.
  using Changes = PerType<std::uint64_t>;
  /// Those of a type that may run, and what that was found by.
  struct Choice {
    ResourceList from, chosen;
    Changes changes{};
    bool all_warm = false;
  };
  struct OfType {
    ResourceList statics, accepted, running, next;
    Rejections rejections;
    /// Until when what is wanted and not there is waited for.
    std::map<std::string, TimePoint, std::less<>> deadlines;
    Choice choice;
    mutable NamesPtr wanted;
    mutable std::vector<ResourceList> wanted_by;  ///< the sets that `wanted` was found in
    /// What follow_references() has seen.
    NamesPtr followed;
    std::uint64_t followed_changes = 0;
  };
  /// The values of a set, as a snapshot has them.
  template <class T>
  struct Values {
    ResourceList of;
    proxy::NamedList<T> list;
    void follow(const ResourceList& resources);
  };

  OfType& of(Type type) { return types_[index_of(type)]; }
  const OfType& of(Type type) const { return types_[index_of(type)]; }
  void changed(Type type) { ++changes_[index_of(type)]; }
  bool is_known(Type type, std::string_view name) const;
  bool is_warm(const Resource& resource, TimePoint now) const;
  bool is_up_to_date(Type type) const;
  const ResourceList& choose(Type type, TimePoint now);
  void follow(Type type, TimePoint now);
  bool blame(Type type, const std::string& reason, bool only_named, std::vector<Blamed>& blamed);

  PerType<OfType> types_;
  Changes changes_{};
  Values<proxy::ClusterConfig> clusters_;
  Values<proxy::Endpoints> endpoints_;
  std::uint64_t generation_ = 0;
  bool built_ = false;
};

}  // namespace weft::xds

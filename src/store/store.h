#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/object.h"
#include "base/error.h"
#include "net/task.h"

namespace weft::store {

/// Which objects a list or a watch is about.
struct Query {
  const api::KindInfo* kind = nullptr;
  std::string ns;              ///< empty: all namespaces
  std::string label_selector;  ///< Kubernetes syntax: a=b,a!=b,a in (x,y),!a
  std::string name;            ///< empty: any name (fieldSelector metadata.name)
};

struct List {
  std::uint64_t resource_version = 0;  ///< a watch from here misses nothing and repeats nothing
  std::vector<api::ObjectPtr> items;   ///< sorted by namespace, then name
};

enum class EventType { kAdded, kModified, kDeleted, kBookmark };

struct Event {
  EventType type;
  api::ObjectPtr object;  ///< for kDeleted the last state; null for kBookmark
  std::uint64_t resource_version;
};

/// A stream of changes. Owner: the watcher; destroying it ends the watch.
class Watch {
 public:
  virtual ~Watch() = default;
  /// The next change. Errors: kUnavailable when the connection broke (watch again from the last version
  /// seen), kConflict when that version is too old (list again; HTTP 410).
  virtual net::Task<Result<Event>> next() = 0;
};

/// How far a store has come.
struct Progress {
  std::uint64_t version = 0;  ///< of its newest change
  std::uint64_t of_kind = 0;  ///< of its newest change of one kind, or later than that
};

/// Where objects live: the embedded store, a client of its socket, later a Kubernetes API server. Nothing
/// above this line knows which.
///
/// Writes follow Kubernetes: metadata.resourceVersion, uid, creationTimestamp, generation (grows when spec
/// changes) and managed defaults are set by the store; update with a stale resourceVersion is kConflict,
/// create of a present name is kConflict, a missing one is kNotFound. Objects are validated and defaulted
/// before they are stored (kInvalid). Thread: one loop.
class Store {
 public:
  virtual ~Store() = default;
  virtual net::Task<Result<api::ObjectPtr>> get(api::Key key) = 0;
  virtual net::Task<Result<List>> list(Query query) = 0;
  virtual net::Task<Result<api::ObjectPtr>> create(api::Object object) = 0;
  /// Replaces everything but status. resourceVersion in the body, when present, must be the stored one.
  virtual net::Task<Result<api::ObjectPtr>> update(api::Object object) = 0;
  /// Replaces status only.
  virtual net::Task<Result<api::ObjectPtr>> update_status(api::Object object) = 0;
  /// Removes it; what it owns (ownerReferences) follows. `grace_period_seconds` < 0: the kind's default. A
  /// Pod is first marked with deletionTimestamp and goes when its runtime has removed it (delete with grace
  /// period 0). With a `uid` only the object that has it goes; another one of that name is kConflict.
  virtual net::Task<Result<api::ObjectPtr>> remove(api::Key key, int grace_period_seconds = -1,
                                                   std::string uid = {}) = 0;
  /// Changes after `from` (0: every present object as kAdded first).
  virtual net::Task<Result<std::unique_ptr<Watch>>> watch(Query query, std::uint64_t from) = 0;
  /// At this moment, where the store knows without asking anybody; else nothing. A watch of the kind that
  /// has come to `of_kind` has no event to come.
  virtual std::optional<Progress> progress(const api::KindInfo* kind) const {
    (void)kind;
    return std::nullopt;
  }
};

}  // namespace weft::store

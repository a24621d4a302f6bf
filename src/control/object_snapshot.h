#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "api/object.h"
#include "api/parse.h"
#include "control/typed_objects.h"

namespace weft::control {

/// Every object at one moment: what controllers reconcile and what translation reads. Immutable; any thread.
///
/// `generation` grows with each change of any object. It is this process's own count and starts again with
/// it.
class ObjectSnapshot {
 public:
  using Objects = std::vector<api::ObjectPtr>;  ///< of one kind, sorted by namespace, then name

  /// What the checks of `weft apply` say against stored objects; those without a fault are not in it.
  using Faults = std::map<api::Key, std::vector<api::Problem>>;

  ObjectSnapshot() = default;
  ObjectSnapshot(std::uint64_t generation,
                 std::map<const api::KindInfo*, std::shared_ptr<const Objects>> objects,
                 std::map<const api::KindInfo*, std::shared_ptr<const Faults>> faults = {})
      : ObjectSnapshot(generation, std::move(objects), std::move(faults), ObjectSnapshot()) {}
  /// What of users' objects is the same as in `before` is not read again.
  ObjectSnapshot(std::uint64_t generation,
                 std::map<const api::KindInfo*, std::shared_ptr<const Objects>> objects,
                 std::map<const api::KindInfo*, std::shared_ptr<const Faults>> faults,
                 const ObjectSnapshot& before)
      : generation_(generation),
        objects_(std::move(objects)),
        faults_(std::move(faults)),
        typed_(objects_, before.objects_, before.typed_) {}
  /// For tests and tools: any objects, in any order.
  static ObjectSnapshot of(std::uint64_t generation, std::vector<api::ObjectPtr> objects);

  /// This snapshot with `object` in the place of the one of its key, or as a new one; everything else is
  /// shared. It has not been looked at for faults.
  ObjectSnapshot with(const api::ObjectPtr& object) const;

  /// This snapshot as if objects of other kinds were not there.
  ObjectSnapshot only(std::span<const api::KindInfo* const> kinds) const;

  std::uint64_t generation() const { return generation_; }
  std::span<const api::ObjectPtr> all(const api::KindInfo* kind) const;
  /// Whether both have the same objects of `kind`, for all that is known without a look at each.
  bool shares(const api::KindInfo* kind, const ObjectSnapshot& other) const;
  /// Null when absent. O(log n).
  api::ObjectPtr find(const api::Key& key) const;
  /// What users wrote, as structs: of the kinds that have one.
  const TypedObjects& typed() const { return typed_; }
  /// What is wrong with the object, or not done by weft, although it is stored: it was written by an older
  /// version, while the webhook was away, or under definitions that are not ours. Empty: nothing.
  std::span<const api::Problem> faults(const api::Object& object) const;

 private:
  std::uint64_t generation_ = 0;
  std::map<const api::KindInfo*, std::shared_ptr<const Objects>> objects_;
  std::map<const api::KindInfo*, std::shared_ptr<const Faults>> faults_;
  TypedObjects typed_;
};

using ObjectSnapshotPtr = std::shared_ptr<const ObjectSnapshot>;

/// Calls `changed(before, after)` for each object of `kind` in which the two snapshots differ, by namespace,
/// then name; null stands for one that is absent. An object is the same when it is the same one in memory.
/// Costs a comparison of pointers for each object that both have.
void for_each_change(const ObjectSnapshot& before, const ObjectSnapshot& after, const api::KindInfo* kind,
                     const std::function<void(const api::ObjectPtr&, const api::ObjectPtr&)>& changed);

/// Every label of `wanted` is on the object.
bool has_labels(const api::Object& object, const std::map<std::string, std::string>& wanted);

/// Labels of the pods that a Deployment or a ReplicaSet makes.
api::Labels template_labels(const api::Object& workload);

/// The kinds that this room reads.
namespace kinds {
const api::KindInfo* name_space();
const api::KindInfo* service_account();
const api::KindInfo* service();
const api::KindInfo* pod();
const api::KindInfo* endpoint_slice();
const api::KindInfo* deployment();
const api::KindInfo* replica_set();
const api::KindInfo* ingress();
const api::KindInfo* ingress_class();
const api::KindInfo* gateway();
const api::KindInfo* virtual_service();
const api::KindInfo* destination_rule();
const api::KindInfo* gateway_class();
const api::KindInfo* api_gateway();  ///< the Gateway API's; gateway() is Istio's
const api::KindInfo* http_route();
const api::KindInfo* reference_grant();
/// All of the above.
std::span<const api::KindInfo* const> watched();
}  // namespace kinds

}  // namespace weft::control

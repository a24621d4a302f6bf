#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/names.h"
#include "xds/resource_type.h"

namespace weft::control {

using xds::index_of;
using xds::kAllTypes;
using xds::kTypes;
using xds::short_name;
using xds::Type;
using xds::type_of;
using xds::type_url;

struct TableParts;

/// One serialized resource. Immutable and shared by every proxy that has the same one.
struct Resource {
  std::string name;
  std::string bytes;  ///< the message; empty of what has `parts`
  std::vector<std::string> needs =
      {};  ///< a cluster: the endpoints it asks for; a listener: its route tables
  std::shared_ptr<const TableParts> parts =
      nullptr;  ///< of a route table, what its message is put together from

  /// Puts a route table together, which costs its size.
  std::string message() const;
};
using ResourcePtr = std::shared_ptr<const Resource>;

/// All resources of one type, by name. Immutable, and shared: proxies that are to run the same have one
/// table, and a table in which nothing has changed stays the same one, so that most comparisons are of
/// pointers. Copying one costs a pointer for each resource. Any thread.
class ResourceTable {
 public:
  ResourceTable() = default;
  /// In any order; of several with one name the last counts.
  explicit ResourceTable(std::vector<ResourcePtr> resources);
  ResourceTable(std::initializer_list<ResourcePtr> resources)
      : ResourceTable(std::vector<ResourcePtr>(resources)) {}

  auto begin() const { return resources_.begin(); }
  auto end() const { return resources_.end(); }
  std::size_t size() const { return resources_.size(); }
  bool empty() const { return resources_.empty(); }
  /// Null when there is none of that name.
  const ResourcePtr& find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  /// What all of its resources need: sorted, each once. They live as long as the table.
  const std::vector<std::string_view>& needs() const { return needs_; }

  /// This table with `changed` in it, each in the place of the one of its name or as a new one, and without
  /// those that `removed` names.
  std::shared_ptr<const ResourceTable> with(std::vector<ResourcePtr> changed,
                                            const Names& removed = {}) const;

 private:
  void collect_needs();

  std::vector<ResourcePtr> resources_;  ///< sorted by name
  std::vector<std::string_view> needs_;
};
using ResourceTablePtr = std::shared_ptr<const ResourceTable>;

/// A table without resources; always the same one.
const ResourceTablePtr& empty_table();

/// Whether both are one resource or have the same message. Null is equal to null alone.
bool same(const ResourcePtr& a, const ResourcePtr& b);
/// Whether both have the same names with the same messages.
bool same_resources(const ResourceTable& a, const ResourceTable& b);
/// Everything of `first`, and of `second` what `first` has no resource of that name of. One of the two itself
/// when it is that.
ResourceTablePtr merged(const ResourceTablePtr& first, const ResourceTablePtr& second);
/// The resources whose names `wanted` accepts; `from` itself when that is all.
template <class Wanted>
ResourceTablePtr filtered(const ResourceTablePtr& from, const Wanted& wanted) {
  std::vector<ResourcePtr> kept;
  for (const ResourcePtr& each : *from)
    if (wanted(each)) kept.push_back(each);
  return kept.size() == from->size() ? from : std::make_shared<const ResourceTable>(std::move(kept));
}

/// Everything one proxy is to run. Immutable once it is shared; no table is null.
struct ResourceSet {
  std::array<ResourceTablePtr, kTypes> of = {empty_table(), empty_table(), empty_table(), empty_table()};
  const ResourceTable& operator[](Type type) const { return *of[index_of(type)]; }
  const ResourceTablePtr& table(Type type) const { return of[index_of(type)]; }
  void set(Type type, ResourceTablePtr table) { of[index_of(type)] = std::move(table); }
};
using ResourceSetPtr = std::shared_ptr<const ResourceSet>;

/// Resources on their way to a table.
using ResourceLists = std::array<std::vector<ResourcePtr>, kTypes>;
inline void add(ResourceLists& into, Type type, Resource resource) {
  into[index_of(type)].push_back(std::make_shared<const Resource>(std::move(resource)));
}
ResourceSet to_set(ResourceLists lists);

}  // namespace weft::control

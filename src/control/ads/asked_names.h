#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <string>
#include <string_view>
#include <vector>

#include "control/translation/resource_set.h"

namespace weft::control {

/// Which resources of one type a proxy asks for. A proxy mostly asks for what the clusters or listeners that
/// it was sent need, and then nothing is kept but that table, which all proxies of its kind share.
///
/// Owner: Session. Thread: one loop.
class AskedNames {
 public:
  AskedNames() = default;
  AskedNames(const AskedNames&) = delete;
  AskedNames& operator=(const AskedNames&) = delete;

  /// Takes what a request says, in any order, names repeated or not. Whether it differs from before.
  bool assign(const google::protobuf::RepeatedPtrField<std::string>& names);
  /// Takes what a request adds and takes away. Whether they differ from before.
  bool change(const google::protobuf::RepeatedPtrField<std::string>& added,
              const google::protobuf::RepeatedPtrField<std::string>& removed);
  /// Whether all is among them that `table` needs.
  bool cover(const ResourceTablePtr& table);
  bool contains(std::string_view name) const;
  /// How long they are together where they are kept here.
  std::size_t own_bytes() const;
  /// Sorted, each once.
  const std::vector<std::string_view>& all() const { return shared_ ? shared_->needs() : views_; }

 private:
  bool take(std::vector<std::string_view> sorted);

  ResourceTablePtr shared_;  ///< whose needs they are; null: they are `own_`
  Names own_;
  std::vector<std::string_view> views_;  ///< into `own_`
};

}  // namespace weft::control

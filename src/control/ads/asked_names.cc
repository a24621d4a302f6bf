#include "control/ads/asked_names.h"

#include <algorithm>

namespace weft::control {

bool AskedNames::assign(const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::vector<std::string_view> sorted(names.begin(), names.end());
  if (!std::ranges::is_sorted(sorted)) std::ranges::sort(sorted);
  const auto rest = std::ranges::unique(sorted);
  sorted.erase(rest.begin(), rest.end());
  if (sorted == all()) return false;
  shared_ = nullptr;
  own_.assign(sorted.begin(), sorted.end());
  views_.assign(own_.begin(), own_.end());
  return true;
}

bool AskedNames::cover(const ResourceTablePtr& table) {
  if (shared_ == table) return true;
  if (all() == table->needs()) {
    shared_ = table;
    own_ = {};
    views_ = {};
    return true;
  }
  return std::ranges::includes(all(), table->needs());
}

bool AskedNames::contains(std::string_view name) const { return std::ranges::binary_search(all(), name); }

}  // namespace weft::control

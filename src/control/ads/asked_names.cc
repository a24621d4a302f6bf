#include "control/ads/asked_names.h"

#include <algorithm>
#include <iterator>

#include "base/release_memory.h"

namespace weft::control {

bool AskedNames::assign(const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::vector<std::string_view> sorted(names.begin(), names.end());
  if (!std::ranges::is_sorted(sorted)) std::ranges::sort(sorted);
  return take(std::move(sorted));
}

bool AskedNames::change(const google::protobuf::RepeatedPtrField<std::string>& added,
                        const google::protobuf::RepeatedPtrField<std::string>& removed) {
  if (added.empty() && removed.empty()) return false;
  std::vector<std::string_view> gone(removed.begin(), removed.end()), sorted;
  std::ranges::sort(gone);
  std::ranges::set_difference(all(), gone, std::back_inserter(sorted));
  sorted.insert(sorted.end(), added.begin(), added.end());
  std::ranges::sort(sorted);
  return take(std::move(sorted));
}

bool AskedNames::take(std::vector<std::string_view> sorted) {
  const auto rest = std::ranges::unique(sorted);
  sorted.erase(rest.begin(), rest.end());
  if (sorted == all()) return false;
  Names names(sorted.begin(), sorted.end());  // some of which may stand in `own_`
  shared_ = nullptr;
  own_ = std::move(names);
  views_.assign(own_.begin(), own_.end());
  return true;
}

bool AskedNames::cover(const ResourceTablePtr& table) {
  if (shared_ == table) return true;
  if (all() == table->needs()) {
    shared_ = table;
    release_memory(own_);
    release_memory(views_);
    return true;
  }
  return std::ranges::includes(all(), table->needs());
}

std::size_t AskedNames::own_bytes() const {
  std::size_t sum = 0;
  for (const std::string& name : own_) sum += name.size();
  return sum;
}

bool AskedNames::contains(std::string_view name) const { return std::ranges::binary_search(all(), name); }

}  // namespace weft::control

#include "store/removals.h"

namespace weft::store {
namespace {

constexpr std::size_t kMax = 1024;

}  // namespace

void Removals::listed(std::uint64_t version) {
  listed_ = version;
  by_key_.clear();
  in_order_.clear();
}

void Removals::note(const api::Key& key, std::uint64_t version) {
  std::uint64_t& last = by_key_[key];
  if (last >= version) return;
  last = version;
  in_order_.emplace_back(key, version);
  if (in_order_.size() <= kMax) return;
  const auto& [oldest, at] = in_order_.front();
  // A key that was removed again since is remembered by its later entry.
  if (const auto found = by_key_.find(oldest); found != by_key_.end() && found->second == at)
    by_key_.erase(found);
  in_order_.pop_front();
}

bool Removals::outdates(const api::Key& key, std::uint64_t version) const {
  if (listed_ != 0 && version <= listed_) return true;
  const auto found = by_key_.find(key);
  return found != by_key_.end() && version <= found->second;
}

}  // namespace weft::store

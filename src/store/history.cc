#include "store/history.h"

namespace weft::store {

void History::forget_oldest() {
  bytes_ -= entries_.front().change.size;
  forgotten_ = entries_.front().change.version;
  entries_.pop_front();
}

void History::add(Change change, TimePoint now) {
  bytes_ += change.size;
  entries_.push_back({std::move(change), now});
  while (entries_.size() > kMaxChanges || bytes_ > kMaxBytes) forget_oldest();
}

std::size_t History::expire(TimePoint now) {
  const std::size_t before = bytes_;
  while (next_expiry() <= now) forget_oldest();
  if (entries_.empty()) entries_.shrink_to_fit();
  return before - bytes_;
}

TimePoint History::next_expiry() const { return entries_.empty() ? kNever : entries_.front().at + kMaxAge; }

}  // namespace weft::store

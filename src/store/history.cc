#include "store/history.h"

#include "api/json_text.h"

namespace weft::store {

Change History::Entry::change() const {
  const auto object = [this](const std::string& json) {
    return std::make_shared<const api::Object>(api::Object{kind, api::parse_json(json)});
  };
  Change made{
      .type = type, .object = object(text), .before = nullptr, .version = version, .size = text.size()};
  if (had_before) made.before = before.empty() ? made.object : object(before);
  return made;
}

void History::forget_oldest() {
  bytes_ -= entries_.front().bytes();
  forgotten_ = entries_.front().version;
  entries_.pop_front();
}

void History::add(const Change& change, std::string text, TimePoint now) {
  Entry entry{change.type, change.object->kind, std::move(text), {}, change.before != nullptr, change.version,
              now};
  if (change.before && change.before->labels() != change.object->labels())
    entry.before = api::json_text(change.before->body);
  bytes_ += entry.bytes();
  entries_.push_back(std::move(entry));
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

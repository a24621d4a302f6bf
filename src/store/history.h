#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "base/time.h"
#include "store/store.h"

namespace weft::store {

/// One change of one object.
struct Change {
  EventType type;
  api::ObjectPtr object, before;
  std::uint64_t version = 0;
  std::size_t size = 0;  ///< bytes of the object as text; in memory it takes some times as many
};

/// The last changes, so that a watch that broke goes on where it was. Bounded by number, size and age:
/// a watcher that is away for longer lists again. They are kept as text: a few large pieces of memory, which
/// go back to the system, where an object is many small ones.
///
/// Owner: EmbeddedStore. Thread: its loop's.
class History {
 public:
  static constexpr std::size_t kMaxChanges = 10'000;
  static constexpr std::size_t kMaxBytes = 1024 * 1024;
  static constexpr Duration kMaxAge = 30s;

  /// Everything up to `version` was before this history.
  explicit History(std::uint64_t version = 0) : forgotten_(version) {}

  /// `text`: change.object as JSON.
  void add(const Change& change, std::string text, TimePoint now);
  /// Forgets what is too old; the bytes that this was.
  std::size_t expire(TimePoint now);
  /// When the oldest change is too old; kNever without one.
  TimePoint next_expiry() const;
  /// Whether every change after `version` is here.
  bool reaches(std::uint64_t version) const { return version >= forgotten_; }
  /// From the oldest on. A change's `before` has the labels of the object before it; the rest of it only
  /// where these differ.
  template <class Function>
  void each_after(std::uint64_t version, Function function) const {
    for (const Entry& entry : entries_)
      if (entry.version > version) function(entry.change());
  }
  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    EventType type;
    const api::KindInfo* kind;
    std::string text;
    std::string before;  ///< empty: there was none, or one of the same labels
    bool had_before;
    std::uint64_t version;
    TimePoint at;
    std::size_t bytes() const { return text.size() + before.size(); }
    Change change() const;
  };
  void forget_oldest();

  std::deque<Entry> entries_;
  std::size_t bytes_ = 0;
  std::uint64_t forgotten_ = 0;
};

}  // namespace weft::store

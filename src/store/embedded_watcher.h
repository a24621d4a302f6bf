#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "net/signal.h"
#include "store/embedded_store.h"

namespace weft::store {

/// Changes queue here; a slow reader loses its watch, not the store its memory.
///
/// Owner: the caller of watch(). Thread: the store's.
class EmbeddedStore::Watcher final : public Watch {
 public:
  Watcher(EmbeddedStore& store, Query query) : store_(&store), query_(std::move(query)) {
    store.watchers_.push_back(this);
  }
  ~Watcher() override {
    if (store_) std::erase(store_->watchers_, this);
  }

  void offer(const Change& change) {
    if (overflowed_) return;
    const bool now = change.type != EventType::kDeleted && selected(query_, *change.object).value_or(false);
    const bool before = change.before && selected(query_, *change.before).value_or(false);
    if (!now && !before) return;
    const EventType type = !now ? EventType::kDeleted : before ? EventType::kModified : EventType::kAdded;
    const bool deselected = type == EventType::kDeleted && change.type != EventType::kDeleted;
    push({type, deselected ? change.before : change.object, change.version}, change.size);
  }
  /// What is there when the watch begins: shared with the store, so it counts against no limit.
  void begin_with(Event event) {
    queue_.push_back({std::move(event), 0});
    ++initial_;
    changed_.notify();
  }
  void orphan() {
    store_ = nullptr;
    changed_.notify();
  }

  net::Task<Result<Event>> next() override {
    for (;;) {
      if (!queue_.empty()) {
        Event event = std::move(queue_.front().event);
        bytes_ -= queue_.front().size;
        queue_.pop_front();
        if (initial_ != 0) --initial_;
        co_return event;
      }
      if (overflowed_)
        co_return fail(Error::internal(Code::kUnavailable, "the watch fell behind; list again"));
      if (!store_) co_return fail(Error::internal(Code::kUnavailable, "the store has closed"));
      co_await changed_.wait();
    }
  }

 private:
  static constexpr std::size_t kMaxQueued = 10'000;
  static constexpr std::size_t kMaxQueuedBytes = 8 * 1024 * 1024;
  struct Queued {
    Event event;
    std::size_t size;
  };
  void push(Event event, std::size_t size) {
    bytes_ += size;
    if (queue_.size() - initial_ >= kMaxQueued || bytes_ > kMaxQueuedBytes) {
      overflowed_ = true;
      queue_.clear();
      bytes_ = initial_ = 0;
    } else {
      queue_.push_back({std::move(event), size});
    }
    changed_.notify();
  }

  EmbeddedStore* store_;
  Query query_;
  std::deque<Queued> queue_;
  std::size_t bytes_ = 0;
  std::size_t initial_ = 0;  ///< of the queue, at its front: what was there when the watch began
  bool overflowed_ = false;
  net::Signal changed_{store_->loop_};
};

}  // namespace weft::store

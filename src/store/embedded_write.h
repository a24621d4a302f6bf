#pragma once

#include <coroutine>
#include <functional>
#include <optional>
#include <utility>

#include "store/embedded_store.h"

namespace weft::store {

/// A write on its way: it waits for the end of the loop's turn and is made together with the others of that
/// turn (docs/decisions/0083).
///
/// Owner: the coroutine that awaits it; destroying it while it waits takes the write back. Thread: the
/// store's.
class EmbeddedStore::Write {
 public:
  /// Plans the change against what the store holds then. It is asked once more, of the same object, when the
  /// disk did not take all that was planned together; `last`: it will not be asked again.
  using Planner = std::function<Planned(Plan& plan, bool last)>;

  /// `size`: bytes that the waiting write keeps in memory, roughly.
  Write(EmbeddedStore& store, Journal::Safe safe, std::size_t size, Planner plan)
      : store_(&store), safe_(safe), size_(size), plan_(std::move(plan)), turn_(store.loop_, [this] {
          waiting_.resume();
        }) {}
  Write(const Write&) = delete;
  Write& operator=(const Write&) = delete;
  ~Write() {
    if (store_ && std::erase(store_->waiting_writes_, this) != 0) store_->waiting_bytes_ -= size_;
  }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    waiting_ = handle;
    store_->enqueue(*this);
  }
  Planned await_resume() { return std::move(*outcome_); }

  Journal::Safe safe() const { return safe_; }
  std::size_t size() const { return size_; }
  bool plan(Plan& plan, bool last) {
    outcome_.emplace(plan_(plan, last));
    return outcome_->has_value();
  }
  void fail_with(const Error& error) { outcome_.emplace(fail(error)); }
  /// The outcome is final: the caller goes on in the loop's next turn.
  void finish() {
    store_ = nullptr;
    turn_.schedule();
  }

 private:
  EmbeddedStore* store_;  ///< null: it waits no more
  Journal::Safe safe_;
  std::size_t size_;
  Planner plan_;
  std::optional<Planned> outcome_;
  std::coroutine_handle<> waiting_;
  net::Deferred turn_;
};

}  // namespace weft::store

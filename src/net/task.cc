#include "net/task.h"

#include <array>
#include <cstdlib>
#include <new>

namespace weft::net {
namespace detail {
namespace {

constexpr std::size_t kClass = 64;
constexpr std::size_t kClasses = 64;  // frames up to 4 KiB are recycled
[[maybe_unused]] constexpr std::size_t kKeepPerClass = 256;

struct FrameCache {
  struct Entry {
    Entry* next;
  };
  std::array<Entry*, kClasses> lists{};
  std::array<std::size_t, kClasses> counts{};
  ~FrameCache() {
    for (Entry*& list : lists) {
      while (list) std::free(std::exchange(list, list->next));
    }
  }
};

thread_local FrameCache cache;

}  // namespace

void* allocate_frame(std::size_t size) {
  const std::size_t index = (size + kClass - 1) / kClass;
  if (index < kClasses && cache.lists[index]) {
    --cache.counts[index];
    return std::exchange(cache.lists[index], cache.lists[index]->next);
  }
  void* frame = std::malloc(index * kClass);
  if (!frame) std::abort();
  return frame;
}

void free_frame(void* frame, std::size_t size) noexcept {
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
  static_cast<void>(size);
  std::free(frame);  // a recycled frame would hide a use after free
#else
  const std::size_t index = (size + kClass - 1) / kClass;
  if (index >= kClasses || cache.counts[index] >= kKeepPerClass) {
    std::free(frame);
    return;
  }
  auto* entry = static_cast<FrameCache::Entry*>(frame);
  entry->next = std::exchange(cache.lists[index], entry);
  ++cache.counts[index];
#endif
}

}  // namespace detail

struct TaskScope::Node {
  Node* next = nullptr;
  Node* previous = nullptr;
  std::coroutine_handle<> handle;
};

/// The coroutine that runs one spawned task and unlinks itself at the end.
struct TaskScope::Root {
  struct promise_type : detail::PromiseBase {
    TaskScope* scope;
    Node* node;
    promise_type(TaskScope& owner, Node& place, Task<void>&) : scope(&owner), node(&place) {}
    Root get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    void return_void() const noexcept {}
    struct EndAwaiter {
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> self) const noexcept {
        TaskScope* const owner = self.promise().scope;
        Node* const place = self.promise().node;
        self.destroy();
        owner->finished(*place);
      }
      void await_resume() const noexcept {}
    };
    EndAwaiter final_suspend() const noexcept { return {}; }
  };
  std::coroutine_handle<promise_type> handle;
};

TaskScope::Root TaskScope::run(TaskScope&, Node&, Task<void> task) { co_await task; }

void TaskScope::spawn(Task<void> task) {
  auto* node = new Node;
  node->next = head_;
  if (head_) head_->previous = node;
  head_ = node;
  ++active_;
  Root root = run(*this, *node, std::move(task));
  node->handle = root.handle;
  root.handle.resume();
}

void TaskScope::finished(Node& node) {
  if (node.previous)
    node.previous->next = node.next;
  else
    head_ = node.next;
  if (node.next) node.next->previous = node.previous;
  delete &node;
  --active_;
  wake_joiner();
}

/// The last thing its callers do: the scope may be gone afterwards.
void TaskScope::wake_joiner() {
  if (active_ == 0 && joiner_) std::exchange(joiner_, nullptr)->waiting_.resume();
}

void TaskScope::cancel_all() {
  destroy_all();
  wake_joiner();
}

void TaskScope::destroy_all() {
  while (head_) {
    Node* node = head_;
    head_ = node->next;
    if (head_) head_->previous = nullptr;
    --active_;
    node->handle.destroy();
    delete node;
  }
}

TaskScope::~TaskScope() {
  destroy_all();
  if (joiner_) joiner_->scope_ = nullptr;
}

namespace {

/// State that the two halves of both() share; it lives in the frame of both().
struct Pair {
  std::coroutine_handle<> waiting;
  int running = 2;
  std::optional<Error> failed;
};

struct Half {
  struct promise_type : detail::PromiseBase {
    Half get_return_object() { return Half{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
  };
  explicit Half(std::coroutine_handle<promise_type> h) : handle(h) {}
  Half(const Half&) = delete;
  Half& operator=(const Half&) = delete;
  ~Half() { handle.destroy(); }
  std::coroutine_handle<promise_type> handle;
};

/// Wakes the coroutine that waits for the pair, as the last thing a half does, so the pair's frame may then
/// be destroyed.
struct WakePair {
  Pair& pair;
  bool await_ready() const noexcept { return !pair.waiting || (pair.running > 0 && !pair.failed); }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<>) const noexcept {
    return std::exchange(pair.waiting, {});
  }
  void await_resume() const noexcept {}
};

Half run_half(Pair& pair, Task<Result<void>>& task) {
  auto result = co_await task;
  --pair.running;
  if (!result && !pair.failed) pair.failed = std::move(result).error();
  co_await WakePair{pair};
}

struct PairAwaiter {
  Pair& pair;
  bool await_ready() const noexcept { return pair.running == 0 || pair.failed; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { pair.waiting = handle; }
  void await_resume() const noexcept {}
};

}  // namespace

Task<Result<void>> both(Task<Result<void>> first, Task<Result<void>> second) {
  Pair pair;
  Half one = run_half(pair, first);
  one.handle.resume();
  if (pair.failed) co_return std::unexpected(std::move(*pair.failed));
  Half two = run_half(pair, second);
  two.handle.resume();
  co_await PairAwaiter{pair};
  if (pair.failed) co_return std::unexpected(std::move(*pair.failed));
  co_return Result<void>{};
}

}  // namespace weft::net

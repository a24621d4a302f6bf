#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"

namespace weft::net {

namespace detail {

/// Coroutine frames come from a per-thread free list by size class, so a warm request path does not reach
/// malloc.
void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size) noexcept;

struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();

  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      return self.promise().continuation;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  // Nothing of ours throws; a library that throws is wrapped where it is called.
  void unhandled_exception() const noexcept { std::terminate(); }
};

}  // namespace detail

/// A coroutine's result to come. Lazy: it starts when awaited, on the awaiting thread, and resumes its
/// awaiter there.
///
/// Owner: its holder. Destroying a Task that has not finished destroys its frame, and with it every
/// Task it is awaiting: that is how work is cancelled. Every awaitable of this room takes itself off its wait
/// point when it is destroyed, so this is safe at any suspension. Reference arguments must outlive the Task.
/// Thread: one loop. Never wrap a capturing lambda as a coroutine: the closure dies before the frame.
template <class T = void>
class [[nodiscard]] Task {
 public:
  struct promise_type : detail::PromiseBase {
    std::optional<T> value;
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    template <class U>
    void return_value(U&& result) {
      value.emplace(std::forward<U>(result));
    }
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().continuation = awaiting;
    return handle_;
  }
  T await_resume() { return std::move(*handle_.promise().value); }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

template <>
class [[nodiscard]] Task<void> {
 public:
  struct promise_type : detail::PromiseBase {
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    void return_void() const noexcept {}
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().continuation = awaiting;
    return handle_;
  }
  void await_resume() const noexcept {}

 private:
  friend class TaskScope;
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

class Loop;

/// Owns background work: tasks that are not awaited. The owner of a TaskScope declares it as its last member,
/// so that whatever the tasks use outlives them.
///
/// Thread: one loop. How it ends: `co_await join()` waits until every task has finished by itself; the
/// destructor destroys what has not (see Task). There is no detach. A task may destroy the scope's owner only
/// through Loop::defer, never directly.
class TaskScope {
 public:
  TaskScope() = default;
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  ~TaskScope();

  /// Starts `task` now and keeps it until it is done.
  void spawn(Task<void> task);
  std::size_t active() const { return active_; }

  /// Resumes when no task is active. One waiter at a time.
  class JoinAwaiter {
   public:
    explicit JoinAwaiter(TaskScope& scope) : scope_(&scope) {}
    JoinAwaiter(const JoinAwaiter&) = delete;
    JoinAwaiter& operator=(const JoinAwaiter&) = delete;
    ~JoinAwaiter() {
      if (scope_ && scope_->joiner_ == this) scope_->joiner_ = nullptr;
    }
    bool await_ready() const noexcept { return scope_->active_ == 0; }
    void await_suspend(std::coroutine_handle<> handle) noexcept {
      waiting_ = handle;
      scope_->joiner_ = this;
    }
    void await_resume() const noexcept {}

   private:
    friend class TaskScope;
    TaskScope* scope_;  ///< null once it is gone; the waiter is then never resumed
    std::coroutine_handle<> waiting_;
  };
  JoinAwaiter join() { return JoinAwaiter(*this); }
  /// Destroys every task that is still running, and resumes the coroutine in join().
  void cancel_all();

 private:
  struct Node;
  struct Root;
  static Root run(TaskScope& scope, Node& node, Task<void> task);
  void finished(Node& node);
  void destroy_all();
  void wake_joiner();

  Node* head_ = nullptr;
  std::size_t active_ = 0;
  JoinAwaiter* joiner_ = nullptr;
};

/// Runs two tasks at once and finishes when both have, or as soon as one fails; the other is then cancelled.
/// Neither may do what resumes the other from inside its own call, such as closing a stream that the other
/// waits for: the other's failure would destroy the one that is running.
Task<Result<void>> both(Task<Result<void>> first, Task<Result<void>> second);

}  // namespace weft::net

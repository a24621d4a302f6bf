#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace weft::net {

/// A value that a callback brings, for a coroutine to wait for: `give(reply.taker()); co_await
/// reply.value()`. The callback comes on the same loop, once, or never; it may come after the coroutine has
/// gone.
///
/// Owner: the coroutine that waits. Thread: one loop.
template <class T>
class Reply {
  struct State {
    std::optional<T> value;
    std::coroutine_handle<> waiting;
  };

 public:
  std::function<void(T)> taker() {
    return [state = state_](T value) {
      state->value.emplace(std::move(value));
      if (state->waiting) std::exchange(state->waiting, {}).resume();
    };
  }

  struct Awaiter {
    std::shared_ptr<State> state;
    bool await_ready() const noexcept { return state->value.has_value(); }
    void await_suspend(std::coroutine_handle<> handle) noexcept { state->waiting = handle; }
    T await_resume() { return std::move(*state->value); }
    ~Awaiter() {
      if (state) state->waiting = {};
    }
  };
  Awaiter value() { return Awaiter{state_}; }

 private:
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace weft::net

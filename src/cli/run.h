#pragma once

#include <optional>
#include <utility>

#include "net/loop.h"
#include "net/task.h"

namespace weft::cli {

namespace detail {
template <class T>
net::Task<void> keep(net::Task<T> task, std::optional<T>& into) {
  into.emplace(co_await task);
}
}  // namespace detail

/// Serves `loop` until `task` is done: a command is one task, and this is how a thread waits for it.
template <class T>
T run(net::Loop& loop, net::Task<T> task) {
  std::optional<T> value;
  net::TaskScope scope;
  scope.spawn(detail::keep(std::move(task), value));
  while (!value) loop.run_once(10s);
  return std::move(*value);
}

}  // namespace weft::cli

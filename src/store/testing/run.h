#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "net/loop.h"
#include "net/task.h"

namespace weft::store::testing {

/// Runs `task` on a real loop until it is done.
template <class T>
T run(net::Loop& loop, net::Task<T> task) {
  std::optional<T> value;
  net::TaskScope scope;
  const auto keep = [](net::Task<T> inner, std::optional<T>& into) -> net::Task<void> {
    into.emplace(co_await std::move(inner));
  };
  scope.spawn(keep(std::move(task), value));
  while (!value) loop.run_once(10s);
  return std::move(*value);
}

/// Turns the loop until `done()`; false when that took longer than 20 s.
template <class Done>
bool run_until(net::Loop& loop, const Done& done) {
  const TimePoint until = SteadyClock::now() + 20s;
  while (!done()) {
    if (SteadyClock::now() > until) return false;
    loop.run_once(100ms);
  }
  return true;
}

struct Directory {
  std::string path = [] {
    char name[] = "/tmp/weft-store-XXXXXX";
    return std::string(::mkdtemp(name));
  }();
  ~Directory() { std::filesystem::remove_all(path); }
};

}  // namespace weft::store::testing

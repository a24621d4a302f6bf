#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace weft::xds {

/// Gives equal values one object, as far as it remembers: thousands of routes have one retry policy. It
/// remembers a few, so that values which all differ cost next to nothing.
///
/// Owner: who converts what has them, for the time of that. Thread: its own.
template <class T>
class Alike {
 public:
  std::shared_ptr<const T> one_of(T value) {
    for (const auto& known : recent_)
      if (known && *known == value) return known;
    std::ranges::rotate(recent_, recent_.end() - 1);
    return recent_.front() = std::make_shared<const T>(std::move(value));
  }

 private:
  static constexpr std::size_t kRemembered = 8;
  std::array<std::shared_ptr<const T>, kRemembered> recent_;
};

}  // namespace weft::xds

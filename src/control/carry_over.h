#pragma once

#include <memory>
#include <span>
#include <vector>

#include "api/object.h"

namespace weft::control {

/// The order of objects of one kind: by namespace, then name.
bool precedes(const api::Object& a, const api::Object& b);

/// What is made of each object of a kind, in the order of the snapshot's list; null where nothing is.
template <class T>
using MadeOf = std::vector<std::shared_ptr<const T>>;

/// Makes the list that belongs to `after` from the one that belongs to `before`: what objects that are still
/// the same one in memory were made into is carried over. `make(object, old)` makes the rest; `old` is what
/// the object of that name was made into before, null without one, and may be returned again. `changed(old,
/// made)` hears of every element that is another now.
template <class T, class Make, class Changed>
MadeOf<T> carry_over(std::span<const api::ObjectPtr> before, const MadeOf<T>& made,
                     std::span<const api::ObjectPtr> after, const Make& make, const Changed& changed) {
  MadeOf<T> result;
  result.reserve(after.size());
  const std::shared_ptr<const T> none;
  std::size_t at = 0;
  const auto drop = [&] {
    if (made[at]) changed(made[at], none);
    ++at;
  };
  for (const api::ObjectPtr& object : after) {
    const bool differs = at >= before.size() || before[at] != object;
    if (differs)
      while (at < before.size() && precedes(*before[at], *object)) drop();
    if (at < before.size() && before[at] == object) {
      result.push_back(made[at++]);
      continue;
    }
    const bool replaces = at < before.size() && !precedes(*object, *before[at]);
    const std::shared_ptr<const T>& old = replaces ? made[at] : none;
    result.push_back(make(object, old));
    if (result.back() != old) changed(old, result.back());
    if (replaces) ++at;
  }
  while (at < before.size()) drop();
  return result;
}

}  // namespace weft::control

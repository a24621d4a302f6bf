#pragma once

#include <algorithm>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace weft::proxy {

/// Immutable objects in the order of their names, one for each name.
///
/// A list shares its memory with its copies: what did not change costs a snapshot one pointer, and is
/// recognised by it. A change copies the pointers to the objects, never an object; many changes at once are
/// for put_all(). T has its name as `name` or `name()`, which never changes. A value; any thread, each copy
/// on one.
template <class T>
class NamedList {
 public:
  using Ptr = std::shared_ptr<const T>;
  using Items = std::vector<Ptr>;

  NamedList() = default;
  /// Of items that are in the order of their names, no two with the same.
  static NamedList of_sorted(Items items) {
    NamedList made;
    made.items_ = std::make_shared<const Items>(std::move(items));
    return made;
  }

  static std::string_view name_of(const T& item) {
    if constexpr (requires { item.name(); })
      return item.name();
    else
      return item.name;
  }

  const Items& items() const {
    static const Items kNone;
    return items_ ? *items_ : kNone;
  }
  auto begin() const { return items().begin(); }
  auto end() const { return items().end(); }
  std::size_t size() const { return items().size(); }
  bool empty() const { return items().empty(); }

  /// Null when there is none of that name.
  Ptr find(std::string_view name) const {
    const auto found = lower_bound(name);
    return found == end() || name_of(**found) != name ? nullptr : *found;
  }
  /// There has to be one.
  Ptr at(std::string_view name) const {
    Ptr found = find(name);
    WEFT_ASSERT(found);
    return found;
  }
  bool contains(std::string_view name) const { return find(name) != nullptr; }

  /// Takes the place of that of the same name.
  void put(Ptr item) { put_all({std::move(item)}); }
  /// No two of `added` may have the same name.
  void put_all(Items added) {
    if (added.empty()) return;
    const auto name_at = [](const Ptr& item) { return name_of(*item); };
    if (!std::ranges::is_sorted(added, {}, name_at)) std::ranges::sort(added, {}, name_at);
    Items merged;
    merged.reserve(size() + added.size());
    auto old = begin();
    for (Ptr& item : added) {
      const std::string_view name = name_of(*item);
      // Names are compared only where something is put in: the rest is looked for, not walked through.
      const auto next = std::lower_bound(old, end(), name, is_before);
      merged.insert(merged.end(), old, next);
      old = next != end() && name_of(**next) == name ? std::next(next) : next;
      merged.push_back(std::move(item));
    }
    merged.insert(merged.end(), old, end());
    items_ = std::make_shared<const Items>(std::move(merged));
  }
  /// Whether there was one of that name.
  bool erase(std::string_view name) {
    return erase_if([&](const T& item) { return name_of(item) == name; }) > 0;
  }
  /// How many there were for which `goes` holds; it is asked in the order of names.
  template <class Predicate>
  std::size_t erase_if(Predicate goes) {
    const auto first = std::find_if(begin(), end(), [&](const Ptr& item) { return goes(*item); });
    if (first == end()) return 0;
    Items left(begin(), first);
    left.reserve(size());
    std::copy_if(std::next(first), end(), std::back_inserter(left),
                 [&](const Ptr& item) { return !goes(*item); });
    const std::size_t gone = size() - left.size();
    items_ = std::make_shared<const Items>(std::move(left));
    return gone;
  }

  /// The same memory, and so the same objects; as != of something equal may be.
  bool is_shared_with(const NamedList& other) const { return items_ == other.items_; }
  bool operator==(const NamedList& other) const { return is_shared_with(other) || items() == other.items(); }

 private:
  static bool is_before(const Ptr& item, std::string_view name) { return name_of(*item) < name; }
  auto lower_bound(std::string_view name) const { return std::lower_bound(begin(), end(), name, is_before); }

  std::shared_ptr<const Items> items_;
};

}  // namespace weft::proxy

#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace weft::control {

/// A list whose elements are shared with earlier ones, read as if they stood in it. A view: it lives no
/// longer than the pointers that it was made from.
template <class T>
class SharedList {
 public:
  using Pointer = std::shared_ptr<const T>;

  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    explicit Iterator(const Pointer* at) : at_(at) {}
    const T& operator*() const { return **at_; }
    const T* operator->() const { return at_->get(); }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) { return Iterator(at_++); }
    bool operator==(const Iterator&) const = default;

   private:
    const Pointer* at_ = nullptr;
  };

  explicit SharedList(std::span<const Pointer> list) : list_(list) {}
  Iterator begin() const { return Iterator(list_.data()); }
  Iterator end() const { return Iterator(list_.data() + list_.size()); }
  std::size_t size() const { return list_.size(); }
  bool empty() const { return list_.empty(); }
  const T& front() const { return *list_.front(); }
  const T& operator[](std::size_t index) const { return *list_[index]; }
  std::span<const Pointer> pointers() const { return list_; }

 private:
  std::span<const Pointer> list_;
};

/// Calls `changed` for each element that only one of two lists has, as pointers go; of two with one name the
/// old one first. Both are in the order of `precedes`, in which no list has two equal elements.
template <class T, class Precedes, class Changed>
void for_each_difference(std::span<const std::shared_ptr<const T>> olds,
                         std::span<const std::shared_ptr<const T>> news, const Precedes& precedes,
                         const Changed& changed) {
  auto old = olds.begin();
  auto now = news.begin();
  while (old != olds.end() || now != news.end()) {
    if (old != olds.end() && now != news.end() && *old == *now) {
      ++old, ++now;
    } else if (now == news.end() || (old != olds.end() && !precedes(**now, **old))) {
      changed(*old++);
    } else {
      changed(*now++);
    }
  }
}

}  // namespace weft::control

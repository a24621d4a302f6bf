#pragma once

#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace weft::proxy {

/// A vector that is nearly always empty, and costs one pointer then: of such are most of the lists in a
/// mesh's thousands of routes. A value.
template <class T>
class RareVector {
 public:
  using value_type = T;

  RareVector() = default;
  RareVector(std::initializer_list<T> items) : RareVector(std::vector<T>(items)) {}
  RareVector(std::vector<T> items) {
    if (!items.empty()) items_ = std::make_unique<std::vector<T>>(std::move(items));
  }
  RareVector(const RareVector& other) : RareVector(other.all()) {}
  RareVector(RareVector&&) noexcept = default;
  RareVector& operator=(RareVector other) noexcept {
    items_ = std::move(other.items_);
    return *this;
  }

  const std::vector<T>& all() const {
    static const std::vector<T> kNone;
    return items_ ? *items_ : kNone;
  }
  auto begin() const { return all().begin(); }
  auto end() const { return all().end(); }
  std::size_t size() const { return all().size(); }
  bool empty() const { return all().empty(); }
  const T& operator[](std::size_t index) const { return all()[index]; }
  const T& at(std::size_t index) const { return all().at(index); }

  bool operator==(const RareVector& other) const { return all() == other.all(); }

  void push_back(T item) { edit().push_back(std::move(item)); }
  /// To be changed in any other way.
  std::vector<T>& edit() {
    if (!items_) items_ = std::make_unique<std::vector<T>>();
    return *items_;
  }

 private:
  std::unique_ptr<std::vector<T>> items_;
};

}  // namespace weft::proxy

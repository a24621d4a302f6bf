#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace weft::proxy {

/// A std::optional that is nearly always empty, and costs one pointer then. A value.
template <class T>
class RareOptional {
 public:
  RareOptional() = default;
  RareOptional(T value) : value_(std::make_unique<T>(std::move(value))) {}
  RareOptional(const std::optional<T>& value) {
    if (value) value_ = std::make_unique<T>(*value);
  }
  RareOptional(const RareOptional& other) {
    if (other) value_ = std::make_unique<T>(*other);
  }
  RareOptional(RareOptional&&) noexcept = default;
  RareOptional& operator=(RareOptional other) noexcept {
    value_ = std::move(other.value_);
    return *this;
  }

  explicit operator bool() const { return value_ != nullptr; }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  T value_or(T other) const { return value_ ? *value_ : std::move(other); }

 private:
  std::unique_ptr<T> value_;
};

}  // namespace weft::proxy

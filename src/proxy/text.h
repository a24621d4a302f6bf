#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>

#include "base/error.h"

namespace weft::proxy {

/// A text of a configuration in one block of just its size: it costs one pointer when it is empty, as most of
/// those in a mesh's thousands of routes are, where a std::string costs four. It is replaced, never edited. A
/// value.
class Text {
 public:
  Text() = default;
  template <std::convertible_to<std::string_view> T>
    requires(!std::same_as<T, Text>)
  Text(const T& text) : block_(block_of(text)) {}
  Text(const Text& other) : block_(block_of(other)) {}
  Text(Text&&) noexcept = default;
  Text& operator=(Text other) noexcept {
    block_ = std::move(other.block_);
    return *this;
  }

  operator std::string_view() const {
    if (!block_) return {};
    Size size = 0;
    std::memcpy(&size, block_.get(), sizeof size);
    return {block_.get() + sizeof size, size};
  }
  bool empty() const { return !block_; }
  std::size_t size() const { return std::string_view(*this).size(); }

  template <std::convertible_to<std::string_view> T>
  bool operator==(const T& other) const {
    return std::string_view(*this) == std::string_view(other);
  }

 private:
  using Size = std::uint32_t;
  static std::unique_ptr<char[]> block_of(std::string_view text) {
    if (text.empty()) return nullptr;
    WEFT_ASSERT(text.size() <= std::numeric_limits<Size>::max());
    const auto size = static_cast<Size>(text.size());
    auto block = std::make_unique_for_overwrite<char[]>(sizeof size + text.size());
    std::memcpy(block.get(), &size, sizeof size);
    std::memcpy(block.get() + sizeof size, text.data(), text.size());
    return block;
  }

  std::unique_ptr<char[]> block_;  ///< the size, and the bytes; null: empty
};

}  // namespace weft::proxy

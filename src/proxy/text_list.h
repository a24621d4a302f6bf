#pragma once

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/text.h"

namespace weft::proxy {

/// Texts of a configuration in one block: the six domains of a service cost what a std::vector costs for
/// two. Each is found at once. It is replaced, never edited. A value.
class TextList {
 public:
  using value_type = std::string_view;

  TextList() = default;
  TextList(std::initializer_list<std::string_view> texts) : block_(block_of(texts)) {}
  template <class Range>
    requires std::convertible_to<typename Range::value_type, std::string_view>
  TextList(const Range& texts) : block_(block_of(texts)) {}
  TextList(const TextList&) = default;
  TextList(TextList&&) noexcept = default;
  TextList& operator=(const TextList&) = default;
  TextList& operator=(TextList&&) noexcept = default;

  std::size_t size() const { return block_.empty() ? 0 : number(0) / sizeof(Number); }
  bool empty() const { return block_.empty(); }
  std::string_view operator[](std::size_t index) const {
    const std::string_view block = block_;
    const std::size_t begin = number(index);
    const std::size_t end = index + 1 < size() ? number(index + 1) : block.size();
    return block.substr(begin, end - begin);
  }

  class Iterator {
   public:
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::forward_iterator_tag;
    Iterator() = default;
    Iterator(const TextList& list, std::size_t at) : list_(&list), at_(at) {}
    std::string_view operator*() const { return (*list_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) { return {*list_, at_++}; }
    bool operator==(const Iterator&) const = default;

   private:
    const TextList* list_ = nullptr;
    std::size_t at_ = 0;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

  bool operator==(const TextList&) const = default;

 private:
  using Number = std::uint32_t;
  std::size_t number(std::size_t index) const {
    Number read = 0;
    std::memcpy(&read, std::string_view(block_).data() + index * sizeof read, sizeof read);
    return read;
  }
  template <class Range>
  static std::string block_of(const Range& texts) {
    const auto count = static_cast<std::size_t>(std::distance(texts.begin(), texts.end()));
    std::string block(count * sizeof(Number), '\0');
    std::size_t index = 0;
    for (const std::string_view text : texts) {
      WEFT_ASSERT(block.size() <= std::numeric_limits<Number>::max());
      const auto begin = static_cast<Number>(block.size());
      std::memcpy(block.data() + index++ * sizeof begin, &begin, sizeof begin);
      block += text;
    }
    return block;
  }

  Text block_;  ///< where each begins, and then the bytes of all
};

}  // namespace weft::proxy

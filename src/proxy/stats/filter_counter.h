#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace weft::proxy {

/// The name of a counter that an HTTP filter counts by, beside those of every connection manager:
/// `http.<prefix>.<name>`. A static of the filter; each worker has a number for it in each HttpCounters.
class FilterCounter {
 public:
  /// `name` is a literal. Only before main().
  explicit FilterCounter(std::string_view name);
  FilterCounter(const FilterCounter&) = delete;
  FilterCounter& operator=(const FilterCounter&) = delete;

  std::size_t index() const { return index_; }
  /// Of all counters, by index.
  static std::span<const std::string_view> names();

 private:
  std::size_t index_;
};

}  // namespace weft::proxy

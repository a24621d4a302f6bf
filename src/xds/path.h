#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::xds {

/// Where in a resource we are, e.g. "filter_chains[0].filters[1].name". Lives on the stack of the function
/// that descends; text is made only when something is wrong. The names must outlive it.
class Path {
 public:
  Path() = default;
  explicit Path(std::string_view name) : name_(name) {}

  // A step keeps a pointer to the one before, so no step may be taken from a temporary.
  Path field(std::string_view name) const& { return Path(this, name, kNoIndex); }
  Path field(std::string_view name) const&& = delete;
  Path item(int index) const& { return Path(this, {}, index); }
  Path item(int index) const&& = delete;
  /// The entry of a map.
  Path entry(std::string_view key) const& { return Path(this, key, kKey); }
  Path entry(std::string_view key) const&& = delete;

  std::string to_string() const;
  /// "path: text".
  Error invalid(std::string_view text) const { return make(Code::kInvalid, text); }
  Error unsupported(std::string_view text) const { return make(Code::kUnsupported, text); }

 private:
  static constexpr int kNoIndex = -1;
  static constexpr int kKey = -2;
  Path(const Path* parent, std::string_view name, int index) : parent_(parent), name_(name), index_(index) {}
  Error make(Code code, std::string_view text) const;

  const Path* parent_ = nullptr;
  std::string_view name_;
  int index_ = kNoIndex;
};

}  // namespace weft::xds

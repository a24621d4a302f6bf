#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <unordered_set>

#include "control/translation/resource_set.h"

namespace weft::control {

/// Messages of resources that were found sound lately. Most of what is made for one object is what was made
/// for the one before, such as the listener of a port that many Services have, and to look at it again costs
/// more than all else.
///
/// Holds at most kMaxBytes: what comes beyond that begins a new list. Owner: who looks at objects. Thread:
/// its own.
class SoundMessages {
 public:
  static constexpr std::size_t kMaxBytes = 256 * 1024;

  bool contains(Type type, const std::string& message) const {
    return known_[index_of(type)].contains(message);
  }
  void add(Type type, const std::string& message);
  /// Of all messages together.
  std::size_t bytes() const { return bytes_; }

 private:
  std::array<std::unordered_set<std::string>, kTypes> known_;
  std::size_t bytes_ = 0;
};

}  // namespace weft::control

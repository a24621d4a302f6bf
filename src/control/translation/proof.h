#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/translation/resource_set.h"

namespace weft::control {

/// What a proxy would say of a resource: the conversion that proxies run, run here. Empty when it would
/// accept all of it. Each begins with the path of the field.
std::vector<std::string> complaints_of(Type type, const std::string& bytes);

/// Keeps from proxies what they would reject. One rejected resource holds back every change behind it, so
/// what cannot be converted is taken out before it is sent, in the smallest unit: a route answers 500 in
/// place of what it was to do, a domain that an earlier host has is left to that one, a cluster or listener
/// is left out. Each is logged with the reason.
///
/// It also makes equal resources one: proxies that get the same share the bytes. Owner: AdsServer. Thread:
/// the loop's.
class Proof {
 public:
  /// Leaves in `set` what every proxy accepts. `generation` only says what is in use.
  void keep_sound(ResourceSet& set, std::uint64_t generation);
  /// Forgets what has not been seen since `generation`.
  void forget_before(std::uint64_t generation);
  std::size_t size() const;

 private:
  struct Known {
    ResourcePtr from;
    ResourcePtr sound;  ///< null: left out
    std::uint64_t seen = 0;
  };
  const Known& look(Type type, const std::string& name, const ResourcePtr& resource,
                    std::uint64_t generation);

  /// By the bytes of `from`.
  std::array<std::unordered_map<std::string_view, Known>, kTypes> known_;
};

}  // namespace weft::control

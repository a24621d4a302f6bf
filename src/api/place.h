#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weft::api {

/// The lists of rules that a part which messages name may stand in.
enum class List : std::uint8_t {
  kNone,
  kHttp,
  kTcp,
  kMatch,
  kRoute,
  kSubsets,
  kServers,
  kListeners,
  kParentRefs,
  kRules,
  kMatches,
  kPaths  ///< "http.paths" of an Ingress
};

/// Where in its object's spec a part of a rule was read: "spec.http[0].match[1]". Origin::place() makes file
/// and line of that. Eight bytes, so that each part can keep its own. A value; any thread.
class Place {
 public:
  /// Indices from here on are kept as this one: no object that fits into a store has so many items.
  static constexpr std::size_t kMaxIndex = 0xFFFFFF;

  constexpr Place() = default;  ///< the spec itself
  /// The item of a list in the spec, or in an item of one; deeper places are not kept.
  constexpr Place at(List list, std::size_t index) const {
    Place inner = *this;
    const auto step = static_cast<std::uint32_t>(list) << 24U |
                      static_cast<std::uint32_t>(index < kMaxIndex ? index : kMaxIndex);
    inner.steps_[inner.steps_[0] == 0 ? 0 : 1] = step;
    return inner;
  }
  /// "spec.http[0].match[1]"
  std::string to_string() const;
  /// "/spec/http/0/match/1" (RFC 6901)
  std::string pointer() const;
  /// Whether `field` ("spec.http[0].match[1].uri") is this place or within it.
  bool covers(std::string_view field) const;
  auto operator<=>(const Place&) const = default;

 private:
  std::array<std::uint32_t, 2> steps_ = {};  ///< a list in the highest byte, an index below; 0: none
};

}  // namespace weft::api

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/json.h"

namespace weft::api {

/// Labels of an object, or those that one must have.
using Labels = std::map<std::string, std::string>;

/// A map of texts in the order in which it is written.
using TextPairs = std::vector<std::pair<std::string, std::string>>;

/// A word of an object's field, and what it means.
template <class E>
struct Word {
  std::string_view text;
  E value;
};

/// Reads the members of one map of an object that is stored, and so perhaps was never checked. What is
/// absent, null, of another type or out of its bounds reads as absent. Each member is to be asked for once.
/// Nothing throws.
///
/// Where reading less would make a rule wider than it is written, understood() says whether the map said
/// anything that was not read. Must not outlive the map. Any thread.
class Fields {
 public:
  /// Anything but a map has no members and is not understood.
  explicit Fields(const Json& map) : map_(map), wrong_(!map.is_object()) {}

  std::string text(std::string_view name);  ///< empty when absent
  std::optional<std::string> optional_text(std::string_view name);
  std::optional<bool> flag(std::string_view name);
  /// A number without a fraction.
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max);
  /// The same from 0 to 2^31 - 1, which most counts are.
  std::optional<std::uint32_t> count(std::string_view name);
  std::uint16_t port(std::string_view name);  ///< 0 when absent
  std::optional<double> number(std::string_view name);
  std::optional<std::chrono::milliseconds> duration(std::string_view name);
  template <class E, std::size_t N>
  std::optional<E> word(std::string_view name, const std::array<Word<E>, N>& words) {
    const std::optional<std::string> given = optional_text(name);
    if (!given) return std::nullopt;
    for (const Word<E>& each : words)
      if (each.text == *given) return each.value;
    wrong_ = true;
    return std::nullopt;
  }
  std::vector<std::string> texts(std::string_view name);  ///< of a list; what is no text in it is left out
  Labels labels(std::string_view name);                   ///< of a map; the same of its values
  TextPairs pairs(std::string_view name);
  /// The member when it is a map, else null. understood() says nothing of what is in it.
  const Json* map(std::string_view name);
  /// The member whatever it is; null when absent. The same holds.
  const Json* any(std::string_view name);
  /// What `make(item, index)` makes of each item of a list, whatever the item is, so that indices stay what
  /// they are.
  template <class Make>
  auto list(std::string_view name, const Make& make) {
    std::vector<decltype(make(std::declval<const Json&>(), std::size_t{}))> made;
    const Json* items = any(name);
    if (!items) return made;
    if (!items->is_array()) {
      wrong_ = true;
      return made;
    }
    made.reserve(items->size());
    for (std::size_t i = 0; i < items->size(); ++i) made.push_back(make((*items)[i], i));
    return made;
  }

  /// Everything that the map says was asked for, and was what it may be.
  bool understood() const;

 private:
  const Json& map_;
  std::size_t read_ = 0;  ///< members that say something and were asked for
  bool wrong_;
};

}  // namespace weft::api

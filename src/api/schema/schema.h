#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace weft::api {

struct Schema;

/// What is wrong with a text, as the end of a sentence ("must be a DNS label ..."); empty when nothing is.
using Format = std::string (*)(std::string_view);

enum class Type : std::uint8_t {
  kText,
  kBool,
  kInteger,
  kNumber,
  kIntOrText,  ///< a port's number or name, a count or a percentage
  kQuantity,   ///< "100m", "1Gi", or a number
  kObject,
  kRaw,  ///< anything; not looked into
};

enum class Shape : std::uint8_t { kOne, kList, kMap };

enum class Support : std::uint8_t {
  kSupported,
  kLater,      ///< a field of the real API that we do not do: rejected by name, unless it says nothing (null;
               ///< but for even_empty() also false and {})
  kServerSet,  ///< what a server writes: dropped from files, kept from the API
  kIgnored,    ///< has no effect in weft and does no harm: kept
};

/// One field of an object. Tables of these are written with the functions below.
struct Field {
  std::string_view name;
  Type type = Type::kRaw;
  Shape shape = Shape::kOne;
  Support support = Support::kSupported;
  bool is_required = false;
  bool acts_when_empty = false;    ///< of kLater: {} and false say something too
  const Schema* object = nullptr;  ///< of kObject
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  Format format = nullptr;                              ///< of texts: each item's, each map value's
  Format key_format = nullptr;                          ///< of the keys of a map
  std::span<const std::string_view> values = {};        ///< the only ones allowed, when not empty
  std::span<const std::string_view> later_values = {};  ///< known, and rejected as not supported
  std::string_view advice = {};                         ///< what to do instead, for kLater and later_values

  constexpr Field required() const {
    Field f = *this;
    f.is_required = true;
    return f;
  }
  /// Of a field whose presence acts, or whose default is true: only null says nothing.
  constexpr Field even_empty() const {
    Field f = *this;
    f.acts_when_empty = true;
    return f;
  }
  constexpr Field list() const {
    Field f = *this;
    f.shape = Shape::kList;
    return f;
  }
  constexpr Field map() const {
    Field f = *this;
    f.shape = Shape::kMap;
    return f;
  }
  constexpr Field keys(Format rule) const {
    Field f = *this;
    f.key_format = rule;
    return f;
  }
  constexpr Field ignored() const {
    Field f = *this;
    f.support = Support::kIgnored;
    return f;
  }
  constexpr Field rejecting(std::span<const std::string_view> known, std::string_view instead) const {
    Field f = *this;
    f.later_values = known;
    f.advice = instead;
    return f;
  }
};

/// The fields of one object, and of which group of them exactly one (or at most one) must be there.
struct Schema {
  std::span<const Field> fields;
  std::span<const std::string_view> one_of = {};
  bool one_required = false;

  const Field* find(std::string_view name) const;
};

constexpr Field text(std::string_view name, Format format = nullptr) {
  Field field{.name = name, .type = Type::kText};
  field.format = format;
  return field;
}
constexpr Field one_of(std::string_view name, std::span<const std::string_view> values) {
  Field field{.name = name, .type = Type::kText};
  field.values = values;
  return field;
}
constexpr Field flag(std::string_view name) { return {.name = name, .type = Type::kBool}; }
constexpr Field integer(std::string_view name, std::int64_t min = 0,
                        std::int64_t max = std::numeric_limits<std::int32_t>::max()) {
  Field field{.name = name, .type = Type::kInteger};
  field.min = min;
  field.max = max;
  return field;
}
constexpr Field number(std::string_view name, std::int64_t min, std::int64_t max) {
  Field field{.name = name, .type = Type::kNumber};
  field.min = min;
  field.max = max;
  return field;
}
constexpr Field port(std::string_view name) { return integer(name, 1, 65535); }
constexpr Field int_or_text(std::string_view name, Format format = nullptr) {
  Field field{.name = name, .type = Type::kIntOrText};
  field.min = 0;
  field.format = format;
  return field;
}
constexpr Field quantity(std::string_view name) { return {.name = name, .type = Type::kQuantity}; }
constexpr Field object(std::string_view name, const Schema& schema) {
  Field field{.name = name, .type = Type::kObject};
  field.object = &schema;
  return field;
}
constexpr Field raw(std::string_view name) { return {.name = name, .type = Type::kRaw}; }
constexpr Field later(std::string_view name, std::string_view advice = {}) {
  Field field{.name = name, .type = Type::kRaw};
  field.support = Support::kLater;
  field.advice = advice;
  return field;
}
constexpr Field server_set(std::string_view name) {
  Field field{.name = name, .type = Type::kRaw};
  field.support = Support::kServerSet;
  return field;
}

/// Of an object as it is written in a file, which may be an older version than the one stored.
/// Null when `api_version` and `kind` are not a kind that find_kind knows.
const Schema* find_schema(std::string_view api_version, std::string_view kind);

}  // namespace weft::api

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weft::api {

/// Where in an object: a chain of steps on the stack, each pointing to the one before. A step must not
/// outlive its parent, nor the text its key views.
struct Path {
  static constexpr std::size_t kNotAnIndex = static_cast<std::size_t>(-1);

  const Path* parent = nullptr;
  std::string_view key;             ///< when it is a field
  std::size_t index = kNotAnIndex;  ///< when it is an item of a list

  Path at(std::string_view field) const { return {this, field, kNotAnIndex}; }
  Path at(std::size_t item) const { return {this, {}, item}; }
  bool is_root() const { return parent == nullptr; }

  /// "spec.ports[0].port"; a key that is not an identifier is written
  /// metadata.labels["app.kubernetes.io/name"].
  std::string to_string() const;
};

}  // namespace weft::api

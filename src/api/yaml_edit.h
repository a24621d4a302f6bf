#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/json.h"

namespace weft::api {

/// What rewrite() made: a text that reads as the value wanted.
struct Rewritten {
  std::string text;
  /// The places could not be edited one by one: all of it is written again, and its comments are gone.
  bool rewritten = false;
};

/// Changes one YAML or JSON document so that it reads as `after` instead of `before`, and leaves every byte
/// outside the changed nodes as it is: comments, quotes, order, line ends. Items of lists belong together
/// when they are equal or have the same `name`. Of items that have changed places those named in `movable`
/// are written again and the others stay. `before` is what read_yaml() made of `text`.
///
/// The outcome is read again and compared, so it never means anything else. Any thread.
Rewritten rewrite(std::string_view text, const Json& before, const Json& after,
                  std::span<const std::string_view> movable = {});

}  // namespace weft::api

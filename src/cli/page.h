#pragma once

#include <string>
#include <string_view>

#include "api/json.h"

namespace weft::cli {

/// The text of `describe`: names and values below each other, sections indented. Owner: who describes.
/// Thread: one.
class Page {
 public:
  /// "Name:             value"; further lines of a value come below its first. An empty value is "<none>".
  void field(std::string_view name, std::string_view value);
  /// One line per entry of a map: "Labels: app=x" and below it the others.
  void map(std::string_view name, const api::Json& entries, std::string_view between);
  /// "Containers:" and everything until leave() indented below it.
  void enter(std::string_view name);
  void leave() { indent_ -= 2; }
  /// Lines as they are, indented like fields.
  void lines(std::string_view text);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::size_t indent_ = 0;
};

}  // namespace weft::cli

#include "yaml/joined_files.h"

#include <algorithm>

namespace weft::yaml {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

bool is_boundary(std::string_view line) {
  return (line.starts_with("---") || line.starts_with("...")) &&
         (line.size() == 3 || std::string_view(" \t\r").find(line[3]) != std::string_view::npos);
}

/// Behind the closing bracket of the map that begins at `at`; npos when it is not closed, or is not JSON.
std::size_t end_of_map(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  for (bool quoted = false; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\') ++at;
      quoted = c != '"';
      continue;
    }
    if (c == '\'' || c == '#') return text.npos;
    if (c == '"') quoted = true;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at + 1;
  }
  return text.npos;
}

}  // namespace

std::string without_byte_order_marks(std::string_view text) {
  std::string kept;
  kept.reserve(text.size());
  bool at_start = true;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = std::min(text.find('\n', at), text.size() - 1) + 1;
    std::string_view line = text.substr(at, next - at);
    std::string_view bare = line.substr(line.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
    std::string_view trimmed = bare.substr(0, bare.find_last_not_of("\r\n") + 1);
    if (at_start || is_boundary(trimmed)) line = bare;
    at_start = is_boundary(trimmed);
    kept += line;
    at = next;
  }
  return kept;
}

std::size_t end_of_first_json(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos || text[begin] != '{') return 0;
  const std::size_t end = end_of_map(text, begin);
  if (end == text.npos) return 0;
  const std::size_t next = text.find_first_not_of(kSpace, end);
  return next != text.npos && text[next] == '{' ? end : 0;
}

}  // namespace weft::yaml

#include "api/block_match.h"

#include <algorithm>
#include <bitset>
#include <iterator>
#include <string>

#include "api/yaml_reader.h"

namespace weft::api {
namespace {

/// Of one map; a larger one is for the parser.
constexpr std::size_t kMaxMembers = 256;

bool is_key_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '/' || c == '-';
}

/// Of what stands before the colon, when the line is a member of a map with a plain key; 0 otherwise.
std::size_t key_length(std::string_view line) {
  std::size_t length = 0;
  while (length < line.size() && is_key_byte(line[length])) ++length;
  if (length == line.size() || line[length] != ':' || line[0] == '-') return 0;
  return length + 1 == line.size() || line[length + 1] == ' ' ? length : 0;
}

bool is_item(std::string_view line) { return line == "-" || line.starts_with("- "); }
bool is_nothing(std::string_view rest) { return rest.empty() || rest[0] == '#'; }

std::string_view without_spaces(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(' '), text.size()));
}

bool is_plain(std::string_view text, const Json& wanted) {
  constexpr std::string_view kIndicators = ",[]{}#&*!|>'\"%@`?:";
  if (kIndicators.find(text[0]) != kIndicators.npos || is_item(text)) return false;
  if (text.back() == ':' || text.find(": ") != text.npos) return false;
  constexpr std::size_t kMaxWord = 5;  // "false"
  const bool letter = (text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z');
  if (letter && text.size() > kMaxWord)
    return wanted.is_string() && wanted.get_ref<const std::string&>() == text;
  return plain_scalar(text) == wanted;
}

/// Walks the lines and the value together. A line that begins a map in a list stands for two: the item, and
/// the first member at the column behind its dash.
class Matcher {
 public:
  explicit Matcher(std::string_view text) : text_(text) {}

  bool says(const Json& wanted) {
    next_line();
    return column_ == 0 && block(wanted) && ended_;
  }

 private:
  /// To the next line that says something.
  void next_line() {
    while (at_ < text_.size()) {
      const std::size_t end = std::min(text_.find('\n', at_), text_.size());
      const std::string_view whole = text_.substr(at_, end - at_);
      at_ = end + 1;
      line_ = without_spaces(whole);
      column_ = whole.size() - line_.size();
      if (!is_nothing(line_)) return;
    }
    ended_ = true;
  }

  bool block(const Json& wanted) {
    if (is_item(line_)) return wanted.is_array() && list(wanted);
    return key_length(line_) > 0 && wanted.is_object() && map(wanted);
  }

  bool map(const Json& wanted) {
    const std::size_t column = column_;
    std::bitset<kMaxMembers> seen;
    if (wanted.size() > kMaxMembers) return false;
    std::size_t members = 0;
    for (; !ended_ && column_ == column; ++members) {
      const std::size_t length = key_length(line_);
      if (length == 0) return false;
      const auto found = wanted.find(line_.substr(0, length));
      if (found == wanted.end()) return false;
      const auto index = static_cast<std::size_t>(std::distance(wanted.begin(), found));
      if (seen[index]) return false;
      seen[index] = true;
      const std::string_view rest = without_spaces(line_.substr(length + 1));
      if (!is_nothing(rest)) {
        if (!scalar(rest, *found, column)) return false;
        continue;
      }
      next_line();
      const bool inside = !ended_ && (column_ > column || (column_ == column && is_item(line_)));
      if (inside ? !block(*found) : !found->is_null()) return false;
    }
    return members == wanted.size();
  }

  bool list(const Json& wanted) {
    const std::size_t column = column_;
    std::size_t items = 0;
    for (; !ended_ && column_ == column && is_item(line_); ++items) {
      if (items == wanted.size()) return false;
      const std::string_view rest = without_spaces(line_.substr(1));
      if (is_nothing(rest)) return false;
      if (is_item(rest) || key_length(rest) > 0) {
        column_ += line_.size() - rest.size();
        line_ = rest;
        if (!block(wanted[items])) return false;
      } else if (!scalar(rest, wanted[items], column)) {
        return false;
      }
    }
    return items == wanted.size();
  }

  /// And all that its line holds; a text that goes on in a deeper line is none of ours.
  bool scalar(std::string_view rest, const Json& wanted, std::size_t column) {
    const bool same = rest[0] == '"' || rest[0] == '\'' ? quoted(rest, wanted) : other(rest, wanted);
    next_line();
    return same && (ended_ || column_ <= column);
  }

  static bool other(std::string_view rest, const Json& wanted) {
    rest = rest.substr(0, rest.find(" #"));
    rest = rest.substr(0, rest.find_last_not_of(' ') + 1);
    if (rest == "{}" || rest == "[]")
      return wanted.empty() && (rest == "{}" ? wanted.is_object() : wanted.is_array());
    return is_plain(rest, wanted);
  }

  static bool quoted(std::string_view rest, const Json& wanted) {
    if (!wanted.is_string()) return false;
    const char quote = rest[0];
    std::string_view left = wanted.get_ref<const std::string&>();
    std::size_t at = 1;
    for (; at < rest.size(); ++at) {
      char c = rest[at];
      if (c == quote && (quote == '"' || at + 1 == rest.size() || rest[at + 1] != quote)) break;
      if (c == quote) ++at;
      if (c == '\\' && quote == '"') {
        ++at;
        if (at == rest.size() || (rest[at] != '"' && rest[at] != '\\')) return false;
        c = rest[at];
      }
      if (left.empty() || left[0] != c) return false;
      left.remove_prefix(1);
    }
    if (at == rest.size()) return false;
    const std::string_view behind = rest.substr(at + 1);
    return left.empty() && (behind.empty() || (behind[0] == ' ' && is_nothing(without_spaces(behind))));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string_view line_;  ///< from its first byte that is not a space
  std::size_t column_ = 0;
  bool ended_ = false;
};

bool is_simple(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); });
}

}  // namespace

bool block_text_says(std::string_view text, const Json& wanted) {
  return is_simple(text) && Matcher(text).says(wanted);
}

}  // namespace weft::api

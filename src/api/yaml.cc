#include "api/yaml.h"

#include <algorithm>
#include <vector>

#include "api/json_text.h"
#include "api/yaml_reader.h"
#include "base/strings.h"

namespace weft::api {
namespace {

constexpr char kHex[] = "0123456789abcdef";

/// Control bytes, and the code points that some readers take for line ends or byte order marks.
bool needs_escapes(std::string_view text) {
  if (std::ranges::all_of(text, [](unsigned char c) { return (c >= 0x20 || c == '\n') && c < 0x7f; }))
    return false;
  if (std::ranges::any_of(text, [](unsigned char c) { return (c < 0x20 && c != '\n') || c == 0x7f; }))
    return true;
  for (std::string_view mark : {"\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf"})
    if (text.find(mark) != text.npos) return true;
  // The other C1 controls.
  for (std::size_t at = text.find('\xc2'); at < text.size(); at = text.find('\xc2', at + 1))
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0) return true;
  return false;
}

std::string escaped(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    auto rest = text.substr(i);
    if (c == '"' || c == '\\') {
      out.append("\\") += static_cast<char>(c);
    } else if (c == '\n' || c == '\t' || c == '\r') {
      out.append(c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
    } else if (c < 0x20 || c == 0x7f) {
      (out.append("\\x") += kHex[c >> 4]) += kHex[c & 15];
    } else if (c == 0xc2 && rest.size() > 1 && static_cast<unsigned char>(rest[1]) < 0xa0) {
      auto next = static_cast<unsigned char>(rest[1]);
      (out.append("\\x") += kHex[next >> 4]) += kHex[next & 15];
      ++i;
    } else if (rest.starts_with("\xe2\x80\xa8") || rest.starts_with("\xe2\x80\xa9") ||
               rest.starts_with("\xef\xbb\xbf")) {
      out.append(c == 0xef ? "\\ufeff" : rest[2] == '\xa8' ? "\\u2028" : "\\u2029");
      i += 2;
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + "\"";
}

/// Texts that a reader of YAML 1.1, as kubectl's is, would take for a bool, a number or a date.
bool reads_as_other(std::string_view text) {
  const char first = text[0];
  const bool numeric = (first >= '0' && first <= '9') || first == '-' || first == '+' || first == '.';
  constexpr std::size_t kMaxWord = 5;
  if (!numeric && text.size() > kMaxWord) return false;
  if (!plain_scalar(text).is_string()) return true;
  std::string lower = to_lower(text);
  for (std::string_view reserved : {"y", "n", "yes", "no", "on", "off", "true", "false", "null", ".inf",
                                    "-.inf", "+.inf", ".nan", "<<", "="})
    if (lower == reserved) return true;
  if (!numeric || text.find_first_of("0123456789") == text.npos) return false;
  auto dash = text.find('-', 1);
  if (dash == 4 && text.size() >= 8 && text.find_first_not_of("0123456789") == 4) return true;
  return lower.find_first_not_of("0123456789_:.+-ex") == lower.npos || lower.starts_with("0x") ||
         lower.starts_with("0b") || lower.starts_with("0o");
}

bool may_be_plain(std::string_view text) {
  constexpr std::string_view kIndicators = ",[]{}#&*!|>'\"%@`";
  if (text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  if (kIndicators.find(text.front()) != kIndicators.npos) return false;
  if ((text.front() == '-' || text.front() == '?' || text.front() == ':') &&
      (text.size() == 1 || text[1] == ' '))
    return false;
  if (text.starts_with("---") || text.starts_with("...")) return false;
  return text.find(": ") == text.npos && text.find(" #") == text.npos && text.find('\n') == text.npos;
}

void append_in_one_line(std::string_view text, std::string& out) {
  if (text.empty()) {
    out.append("\"\"");
  } else if (needs_escapes(text) || text.find('\n') != text.npos || reads_as_other(text)) {
    out.append(escaped(text));
  } else if (may_be_plain(text)) {
    out.append(text);
  } else {
    out += '\'';
    for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
    out += '\'';
  }
}

class Emitter {
 public:
  void value(const Json& value, std::size_t indent);
  void member(std::string_view name, const Json& value, std::size_t indent);
  void item(const Json& value, std::size_t indent);
  std::string take() { return std::move(out_); }

 private:
  void map(const Json& value, std::size_t indent, bool first_in_place);
  void list(const Json& value, std::size_t indent, bool first_in_place);
  void text(const std::string& text, std::size_t indent);
  void after_key(const Json& value, std::size_t indent);
  void leaf(const Json& value, std::size_t indent);

  std::string out_;
};

/// A block is only for what every reader takes back byte by byte.
bool fits_block(const std::string& text) {
  return text.find('\n') < text.size() - 1 && text[0] != ' ' && text[0] != '\n' && !needs_escapes(text);
}

void Emitter::text(const std::string& text, std::size_t indent) {
  if (text.empty() || !fits_block(text)) {
    append_in_one_line(text, out_);
    out_ += '\n';
    return;
  }
  std::size_t ends = text.size() - (text.find_last_not_of('\n') + 1);
  out_ += ends == 0 ? "|-\n" : ends == 1 ? "|\n" : "|+\n";
  std::string_view rest = text;
  if (ends > 0) rest.remove_suffix(1);
  for (std::string_view line : split(rest, '\n')) {
    if (!line.empty()) out_.append(indent, ' ').append(line);
    out_ += '\n';
  }
}

void Emitter::leaf(const Json& value, std::size_t indent) {
  if (value.is_string()) return text(value.get_ref<const std::string&>(), indent);
  if (value.is_structured())
    out_ += value.is_object() ? "{}" : "[]";
  else
    out_ += json_text(value);
  out_ += '\n';
}

void Emitter::after_key(const Json& value, std::size_t indent) {
  if (value.is_structured() && !value.empty()) {
    out_ += '\n';
    return value.is_object() ? map(value, indent + 2, false) : list(value, indent, false);
  }
  out_ += ' ';
  leaf(value, indent + 2);
}

void Emitter::map(const Json& value, std::size_t indent, bool first_in_place) {
  std::vector<std::pair<std::string_view, const Json*>> members;
  for (const auto& [name, member] : value.get_ref<const Json::object_t&>())
    members.emplace_back(name, &member);
  std::ranges::sort(members, {}, [](const auto& member) { return member.first; });
  for (const auto& [name, member] : members) {
    if (!first_in_place) out_.append(indent, ' ');
    first_in_place = false;
    this->member(name, *member, indent);
  }
}

void Emitter::member(std::string_view name, const Json& value, std::size_t indent) {
  append_in_one_line(name, out_);
  out_ += ':';
  after_key(value, indent);
}

void Emitter::list(const Json& value, std::size_t indent, bool first_in_place) {
  for (const Json& item : value) {
    if (!first_in_place) out_.append(indent, ' ');
    first_in_place = false;
    this->item(item, indent);
  }
}

void Emitter::item(const Json& value, std::size_t indent) {
  out_ += "- ";
  if (!value.is_structured() || value.empty())
    leaf(value, indent + 2);
  else if (value.is_object())
    map(value, indent + 2, true);
  else
    list(value, indent + 2, true);
}

void Emitter::value(const Json& value, std::size_t indent) {
  if (!value.is_structured() || value.empty()) return leaf(value, indent + 2);
  if (value.is_object()) return map(value, indent, false);
  list(value, indent, false);
}

}  // namespace

std::string to_yaml(const Json& value) {
  Emitter emitter;
  emitter.value(value, 0);
  return emitter.take();
}

std::string member_to_yaml(std::string_view name, const Json& value) {
  Emitter emitter;
  emitter.member(name, value, 0);
  return emitter.take();
}

std::string item_to_yaml(const Json& value) {
  Emitter emitter;
  emitter.item(value, 0);
  return emitter.take();
}

}  // namespace weft::api

#include "api/json_text.h"

namespace weft::api {
namespace {

constexpr int kDeepest = 200;

/// Counted before the text is parsed: the library's own callback for it makes parsing slower by half.
bool too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDeepest) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Json parse_json(std::string_view text) {
  if (too_deep(text)) return Json(Json::value_t::discarded);
  return Json::parse(text, nullptr, false);
}

bool deeper_than(const Json& value, int levels) {
  if (!value.is_structured()) return false;
  if (levels == 0) return true;
  for (const Json& each : value)
    if (deeper_than(each, levels - 1)) return true;
  return false;
}

std::string json_text(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string json_text(const nlohmann::json& value, int indent) {
  return value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

const Json& json_member(const Json& from, std::string_view name) {
  static const Json kNull;
  if (!from.is_object()) return kNull;
  const auto found = from.find(name);
  return found == from.end() ? kNull : *found;
}

std::string json_string(const Json& from, std::string_view name) {
  const Json& value = json_member(from, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t json_integer(const Json& from, std::string_view name, std::int64_t otherwise, std::int64_t least,
                          std::int64_t most) {
  const Json& value = json_member(from, name);
  if (!value.is_number_integer()) return otherwise;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return otherwise;
  const auto number = value.get<std::int64_t>();
  return number < least || number > most ? otherwise : number;
}

bool is_utf8(std::string_view text) {
  const auto at = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned lead = at(i), second = at(i + 1);
    const std::size_t size = lead < 0x80                   ? 1
                             : lead >= 0xc2 && lead < 0xe0 ? 2
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                                                           : 0;
    if (size == 0) return false;
    for (std::size_t k = 1; k < size; ++k)
      if ((at(i + k) & 0xc0) != 0x80) return false;
    // Overlong forms, surrogates, and what is beyond U+10FFFF.
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
      return false;
    i += size;
  }
  return true;
}

}  // namespace weft::api

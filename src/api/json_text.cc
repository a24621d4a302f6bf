#include "api/json_text.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "api/json_room.h"

namespace weft::api {
namespace {

constexpr int kDeepest = 200;
constexpr std::size_t kFewMembers = 16;

/// Makes a value of what the library's parser finds. The library itself compares each name to all that stand
/// before it in the same map, which for a map of 1 MB takes minutes.
class Builder {
 public:
  explicit Builder(Json& root) : root_(root) {}

  bool null() { return put(nullptr); }
  bool boolean(bool value) { return put(value); }
  bool number_integer(Json::number_integer_t value) { return put(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return put(value); }
  bool number_float(Json::number_float_t value, const Json::string_t&) { return put(value); }
  bool string(Json::string_t& value) { return put(std::move(value)); }
  bool binary(Json::binary_t&) { return false; }  // there is none in text
  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(Json::string_t& name) {
    member_ = &member(open_.back(), name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) { return false; }

 private:
  struct Open {
    Json* value;
    std::map<std::string, std::size_t, std::less<>> places = {};  ///< of the members, once they are many
  };

  /// The place for the next value: the member whose name was read last, the end of a list, or the root.
  Json& place() {
    if (open_.empty()) return root_;
    if (open_.back().value->is_object()) return *member_;
    return open_.back().value->get_ref<Json::array_t&>().emplace_back();
  }
  template <class Value>
  bool put(Value&& value) {
    place() = std::forward<Value>(value);
    return true;
  }
  bool open(Json empty) {
    Json& made = place();
    made = std::move(empty);
    open_.push_back({&made});
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  /// Of two members of one name the later one's value counts, in the place of the first (RFC 8259 §4 leaves
  /// it open).
  static Json& member(Open& in, std::string& name) {
    auto& members = in.value->get_ref<Json::object_t&>();
    if (members.size() < kFewMembers) {
      if (const auto found = members.find(name); found != members.end()) return found->second;
    } else {
      for (std::size_t i = in.places.size(); i < members.size(); ++i)
        in.places.emplace((members.begin() + static_cast<std::ptrdiff_t>(i))->first, i);
      if (const auto found = in.places.find(name); found != in.places.end())
        return (members.begin() + static_cast<std::ptrdiff_t>(found->second))->second;
    }
    if (members.size() == members.capacity())
      reserve_members(*in.value, std::max<std::size_t>(members.size(), 4));
    return in.value->get_ref<Json::object_t&>().emplace_back(std::move(name), nullptr).second;
  }

  Json& root_;
  std::vector<Open> open_;
  Json* member_ = nullptr;
};

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
  // The library takes a NUL for the end, and passes over what stands behind it.
  if (too_deep(text) || text.find('\0') != text.npos) return Json(Json::value_t::discarded);
  Json made;
  Builder builder(made);
  if (!Json::sax_parse(text, &builder)) return Json(Json::value_t::discarded);
  return made;
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

std::int64_t json_integer(const Json& from, std::string_view name, std::int64_t otherwise, std::int64_t min,
                          std::int64_t max) {
  const Json& value = json_member(from, name);
  if (!value.is_number_integer()) return otherwise;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return otherwise;
  const auto number = value.get<std::int64_t>();
  return number < min || number > max ? otherwise : number;
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

#include "api/schema/check.h"

#include <algorithm>

#include "api/json_text.h"
#include "api/schema/formats.h"
#include "base/strings.h"

namespace weft::api {
namespace {

constexpr std::size_t kMaxMembers = 10'000;

std::string a_list(std::span<const std::string_view> values, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) text.append(i + 1 == values.size() ? last : ", ");
    text.append(values[i]);
  }
  return text;
}

class Checker {
 public:
  Checker(Source source, Report& report) : source_(source), report_(report) {}

  void object(Json& value, const Schema& schema, const Path& at);

 private:
  void field(Json& value, const Field& field, const Path& at);
  void one(Json& value, const Field& field, const Path& at);
  void text(const Json& value, const Field& field, const Path& at);
  void integer(Json& value, const Field& field, const Path& at);
  void number(const Json& value, const Field& field, const Path& at);
  bool drops(const Field* found, const Json& value, const Path& at);
  void unknown(const Schema& schema, const Path& at);
  void groups(const Json& value, const Schema& schema, const Path& at);
  void wrong_type(const Json& value, const Path& at, std::string_view wanted);

  Source source_;
  Report& report_;
};

bool says_nothing(const Field& field, const Json& value) {
  if (value.is_null()) return true;
  return !field.acts_when_empty && (value == Json(false) || (value.is_structured() && value.empty()));
}

void Checker::wrong_type(const Json& value, const Path& at, std::string_view wanted) {
  std::string is = value.is_object() ? "a map" : value.is_array() ? "a list" : shown(value);
  report_.problem(at, "must be " + std::string(wanted) + ", and is " + is);
}

void Checker::unknown(const Schema& schema, const Path& at) {
  constexpr std::size_t kMaxWord = 64;
  if (report_.full()) return;
  std::vector<std::string_view> names;
  for (const Field& field : schema.fields) names.push_back(field.name);
  std::string_view near = at.key.size() > kMaxWord ? std::string_view() : nearest(at.key, names);
  if (!near.empty()) {
    report_.problem(at, "unknown field; did you mean \"" + std::string(near) + "\"?");
    return;
  }
  names.clear();
  for (const Field& field : schema.fields)
    if (field.support == Support::kSupported) names.push_back(field.name);
  constexpr std::size_t kShown = 12;
  bool more = names.size() > kShown;
  names.resize(std::min(names.size(), kShown));
  std::string text = "unknown field";
  if (!names.empty()) text += "; here may stand: " + a_list(names, ", ") + (more ? ", ..." : "");
  report_.problem(at, std::move(text));
}

/// Reports what may not be there at all; true when the member is to be taken out.
bool Checker::drops(const Field* found, const Json& value, const Path& at) {
  if (!found) return false;
  if (found->support == Support::kServerSet) return source_ == Source::kFile || value.is_null();
  if (found->support != Support::kLater) return value.is_null();
  if (!says_nothing(*found, value)) report_.unsupported(at, found->name, found->advice);
  return true;
}

void Checker::groups(const Json& value, const Schema& schema, const Path& at) {
  if (schema.one_of.empty()) return;
  auto count =
      std::ranges::count_if(schema.one_of, [&](std::string_view name) { return value.contains(name); });
  if (count > 1) report_.problem(at, "only one of " + a_list(schema.one_of, " and ") + " may be given");
  if (count == 0 && schema.one_required)
    report_.problem(at, "one of " + a_list(schema.one_of, " and ") + " is required");
}

void Checker::object(Json& value, const Schema& schema, const Path& at) {
  if (!value.is_object()) return wrong_type(value, at, "a map");
  if (value.size() > kMaxMembers) return report_.problem(at, "has more than 10,000 fields");
  bool dropped = false;
  for (auto& [name, member] : value.get_ref<Json::object_t&>()) {
    Path here = at.at(name);
    const Field* found = schema.find(name);
    if (!found) {
      unknown(schema, here);
    } else if (drops(found, member, here)) {
      dropped = true;
      member = Json(Json::value_t::discarded);
    } else {
      field(member, *found, here);
    }
  }
  if (dropped) {
    // The ordered map's pairs have constant keys and cannot be moved: what stays is collected again.
    Json::object_t kept;
    using Members = std::vector<std::pair<const std::string, Json>>;
    for (auto& [name, member] : value.get_ref<Json::object_t&>())
      if (!member.is_discarded()) static_cast<Members&>(kept).emplace_back(name, std::move(member));
    value = std::move(kept);
  }
  for (const Field& wanted : schema.fields)
    if (wanted.is_required && !value.contains(wanted.name))
      report_.problem(at.at(wanted.name), "is required");
  groups(value, schema, at);
}

void Checker::field(Json& value, const Field& field, const Path& at) {
  if (field.shape == Shape::kOne) return one(value, field, at);
  if (field.shape == Shape::kList) {
    if (!value.is_array()) return wrong_type(value, at, "a list");
    for (std::size_t i = 0; i < value.size(); ++i) one(value[i], field, at.at(i));
    return;
  }
  if (!value.is_object()) return wrong_type(value, at, "a map");
  if (value.size() > kMaxMembers) return report_.problem(at, "has more than 10,000 entries");
  for (auto& [name, member] : value.get_ref<Json::object_t&>()) {
    std::string complaint = field.key_format ? field.key_format(name) : std::string();
    if (!complaint.empty()) report_.problem(at.at(name), "this key " + complaint);
    one(member, field, at.at(name));
  }
}

void Checker::text(const Json& value, const Field& field, const Path& at) {
  const auto& content = value.get_ref<const std::string&>();
  if (std::ranges::find(field.later_values, content) != field.later_values.end())
    return report_.unsupported(at, content, field.advice);
  if (!field.values.empty() && std::ranges::find(field.values, content) == field.values.end())
    return report_.problem(at, shown(value) + ": must be " + (field.values.size() > 1 ? "one of " : "") +
                                   a_list(field.values, ", "));
  if (!field.format) return;
  if (std::string complaint = field.format(content); !complaint.empty())
    report_.problem(at, shown(value) + ": " + complaint);
}

void Checker::integer(Json& value, const Field& field, const Path& at) {
  bool whole = value.is_number_integer();
  if (value.is_number_float() &&
      value.get<double>() == static_cast<double>(static_cast<std::int32_t>(
                                 std::clamp(value.get<double>(), -2147483648.0, 2147483647.0)))) {
    value = static_cast<std::int64_t>(value.get<double>());
    whole = true;
  }
  std::string wanted = "a whole number";
  if (field.max == 65535) wanted = "a port's number from 1 to 65535";
  if (!whole) return wrong_type(value, at, wanted);
  bool fits = value.is_number_unsigned()
                  ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(field.max) &&
                        static_cast<std::int64_t>(value.get<std::uint64_t>()) >= field.min
                  : value.get<std::int64_t>() >= field.min && value.get<std::int64_t>() <= field.max;
  if (!fits)
    report_.problem(at, shown(value) + ": must be from " + std::to_string(field.min) + " to " +
                            std::to_string(field.max));
}

void Checker::number(const Json& value, const Field& field, const Path& at) {
  if (!value.is_number()) return wrong_type(value, at, "a number");
  const double given = value.get<double>();
  if (given < static_cast<double>(field.min) || given > static_cast<double>(field.max))
    report_.problem(at, shown(value) + ": must be from " + std::to_string(field.min) + " to " +
                            std::to_string(field.max));
}

void Checker::one(Json& value, const Field& field, const Path& at) {
  switch (field.type) {
    case Type::kRaw: return;
    case Type::kObject: return object(value, *field.object, at);
    case Type::kInteger: return integer(value, field, at);
    case Type::kBool:
      if (!value.is_boolean()) wrong_type(value, at, "true or false");
      return;
    case Type::kNumber: return number(value, field, at);
    case Type::kText:
      if (value.is_string()) return text(value, field, at);
      return wrong_type(value, at,
                        value.is_primitive() && !value.is_null()
                            ? "a text (write \"" + json_text(value) + "\")"
                            : std::string("a text"));
    case Type::kIntOrText:
      if (value.is_string()) return text(value, field, at);
      return integer(value, field, at);
    case Type::kQuantity:
      if (value.is_number()) {
        value = json_text(value);
      } else if (!value.is_string()) {
        return wrong_type(value, at, "a quantity such as 100m or 1Gi");
      }
      if (std::string complaint = quantity_text(value.get_ref<const std::string&>()); !complaint.empty())
        report_.problem(at, shown(value) + ": " + complaint);
  }
}

}  // namespace

const Field* Schema::find(std::string_view name) const {
  auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

std::string shown(const Json& value) {
  constexpr std::size_t kMax = 60;
  if (value.is_string() && value.get_ref<const std::string&>().size() > 4 * kMax)
    return shown(cut(value.get_ref<const std::string&>(), 2 * kMax));
  std::string text = json_text(value);
  return text.size() <= kMax ? text : std::string(cut(text, kMax)) + "...";
}

void check_schema(Json& body, const Schema& schema, Source source, const Path& at, Report& report) {
  Checker(source, report).object(body, schema, at);
}

}  // namespace weft::api

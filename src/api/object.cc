#include "api/object.h"

#include <charconv>

namespace weft::api {
namespace {

const Json kEmptyObject = Json::object();

/// The member of an object, or null for anything that has none.
const Json* member(const Json& value, std::string_view name) {
  if (!value.is_object()) return nullptr;
  auto found = value.find(name);
  return found == value.end() ? nullptr : &*found;
}

std::string_view text_of(const Json* value) {
  return value && value->is_string() ? std::string_view(value->get_ref<const std::string&>())
                                     : std::string_view();
}

const Json* metadata(const Json& body, std::string_view name) {
  const Json* meta = member(body, "metadata");
  return meta ? member(*meta, name) : nullptr;
}

std::string_view entry(const Json& body, std::string_view map, std::string_view key) {
  const Json* entries = metadata(body, map);
  return entries ? text_of(member(*entries, key)) : std::string_view();
}

std::uint64_t number_of(const Json* value) {
  if (!value) return 0;
  if (value->is_number_unsigned()) return value->get<std::uint64_t>();
  std::string_view text = text_of(value);
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

const Json& part(const Json& body, std::string_view name) {
  const Json* found = member(body, name);
  return found && found->is_object() ? *found : kEmptyObject;
}

}  // namespace

Key Object::key() const {
  return {kind, kind && kind->namespaced ? std::string(ns()) : "", std::string(name())};
}
std::string_view Object::name() const { return text_of(metadata(body, "name")); }
std::string_view Object::ns() const { return text_of(metadata(body, "namespace")); }
std::string_view Object::uid() const { return text_of(metadata(body, "uid")); }
std::uint64_t Object::resource_version() const { return number_of(metadata(body, "resourceVersion")); }
std::uint64_t Object::generation() const { return number_of(metadata(body, "generation")); }
std::string_view Object::label(std::string_view key) const { return entry(body, "labels", key); }
std::string_view Object::annotation(std::string_view key) const { return entry(body, "annotations", key); }
const Json& Object::spec() const { return part(body, "spec"); }
const Json& Object::status() const { return part(body, "status"); }

std::map<std::string, std::string> Object::labels() const {
  std::map<std::string, std::string> result;
  const Json* entries = metadata(body, "labels");
  if (!entries || !entries->is_object()) return result;
  for (const auto& [key, value] : entries->items())
    if (value.is_string()) result.emplace(key, value.get_ref<const std::string&>());
  return result;
}

std::vector<std::string_view> Object::annotation_keys() const {
  std::vector<std::string_view> keys;
  const Json* entries = metadata(body, "annotations");
  if (!entries || !entries->is_object()) return keys;
  for (const auto& [key, value] : entries->get_ref<const Json::object_t&>()) keys.push_back(key);
  return keys;
}

std::string_view Object::created() const { return text_of(metadata(body, "creationTimestamp")); }

bool same_spec(const Object& a, const Object& b) {
  return &a == &b || (a.uid() == b.uid() && a.generation() != 0 && a.generation() == b.generation());
}

std::string Key::to_string() const {
  std::string text(kind ? kind->singular : "object");
  text += ' ';
  if (!ns.empty()) text.append(ns) += '/';
  return text + name;
}

}  // namespace weft::api

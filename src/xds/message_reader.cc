#include "xds/message_reader.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/time_util.h>

#include <charconv>
#include <cmath>
#include <vector>

#include "base/base64.h"
#include "base/strings.h"
#include "xds/path.h"

namespace weft::xds {
namespace {

namespace pb = google::protobuf;
using pb::Descriptor;
using pb::FieldDescriptor;
using pb::Message;
using yaml::Node;

constexpr int kMaxDepth = 100;
// Aliases may make a small file large; no bootstrap comes near this.
constexpr std::size_t kMaxNodes = 4'000'000;

template <class T>
bool parse_number(std::string_view text, T& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

/// Whether a plain scalar is a number or a boolean rather than text.
bool looks_typed(std::string_view text) {
  double number = 0;
  bool numeric = text.find_first_of("0123456789") <= 1;  // not "inf", "nan"
  return text == "true" || text == "false" || (numeric && parse_number(text, number));
}

std::string kind_of(const Node* node) {
  if (node->is_mapping()) return "a map";
  if (node->is_sequence()) return "a list";
  return "'" + std::string(node->text) + "'";
}

bool is_wrapper(const Descriptor& type) { return type.file()->name() == "google/protobuf/wrappers.proto"; }

/// Descends the YAML tree and the message's description side by side.
class Reader {
 public:
  Result<void> message(const Node* node, Message& into, const Path& path);

 private:
  Result<void> fields(const Node* node, Message& into, const Path& path);
  Result<void> pair(const Node* key, Message& into, const Path& path);
  Result<void> field(const Node* node, Message& into, const FieldDescriptor& field, const Path& path);
  Result<void> list(const Node* node, Message& into, const FieldDescriptor& field, const Path& path);
  Result<void> map(const Node* node, Message& into, const FieldDescriptor& field, const Path& path);
  Result<void> scalar(const Node* node, Message& into, const FieldDescriptor& field, const Path& path);
  Result<void> number(std::string_view text, Message& into, const FieldDescriptor& field, const Path& path);
  Result<void> enumerator(std::string_view text, Message& into, const FieldDescriptor& field,
                          const Path& path);
  Result<void> any(const Node* node, pb::Any& into, const Path& path);
  Result<void> duration(const Node* node, pb::Duration& into, const Path& path);
  Result<void> structure(const Node* node, pb::Struct& into, const Path& path);
  Result<void> value(const Node* node, pb::Value& into, const Path& path);

  int depth_ = 0;
  std::size_t nodes_ = 0;
};

Error unknown_field(const Descriptor& type, const std::string& name, const Path& path) {
  std::vector<std::string_view> known;
  for (int i = 0; i < type.field_count(); ++i) known.push_back(type.field(i)->name());
  std::string_view near = nearest(name, known);
  std::string advice = near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?";
  return path.field(name).unsupported("unknown or unsupported field" + advice);
}

Result<void> Reader::message(const Node* node, Message& into, const Path& path) {
  if (++nodes_ > kMaxNodes) return fail(path.invalid("the document is too large once aliases are expanded"));
  if (node->is_null()) return {};
  if (depth_ >= kMaxDepth) return fail(path.invalid("nested more than 100 deep"));
  ++depth_;
  const Descriptor& type = *into.GetDescriptor();
  Result<void> done;
  if (auto* made = dynamic_cast<pb::Any*>(&into)) {
    done = any(node, *made, path);
  } else if (auto* length = dynamic_cast<pb::Duration*>(&into)) {
    done = duration(node, *length, path);
  } else if (auto* free = dynamic_cast<pb::Struct*>(&into)) {
    done = structure(node, *free, path);
  } else if (is_wrapper(type)) {
    done = scalar(node, into, *type.field(0), path);
  } else {
    done = fields(node, into, path);
  }
  --depth_;
  return done;
}

Result<void> Reader::fields(const Node* node, Message& into, const Path& path) {
  if (!node->is_mapping()) return fail(path.invalid("has to be a map, not " + kind_of(node)));
  for (const Node* key = node->first; key; key = key->next->next) WEFT_CHECK(pair(key, into, path));
  return {};
}

Result<void> Reader::pair(const Node* key, Message& into, const Path& path) {
  const std::string name(key->text);
  if (name == "@type") return {};
  const Descriptor& type = *into.GetDescriptor();
  const FieldDescriptor* found = type.FindFieldByName(name);
  if (!found) found = type.FindFieldByCamelcaseName(name);
  if (!found) return fail(unknown_field(type, name, path));
  const Node* value = key->next;
  Path here = path.field(found->name());
  if (value->is_null()) return {};
  if (const auto* group = found->real_containing_oneof())
    if (into.GetReflection()->HasOneof(into, group))
      return fail(here.invalid("only one of the fields of '" + group->name() + "' may be set"));
  return field(value, into, *found, here);
}

Result<void> Reader::field(const Node* node, Message& into, const FieldDescriptor& field, const Path& path) {
  if (field.is_map()) return map(node, into, field, path);
  if (field.is_repeated()) return list(node, into, field, path);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
    return message(node, *into.GetReflection()->MutableMessage(&into, &field), path);
  return scalar(node, into, field, path);
}

Result<void> Reader::list(const Node* node, Message& into, const FieldDescriptor& field, const Path& path) {
  if (!node->is_sequence()) return fail(path.invalid("has to be a list, not " + kind_of(node)));
  int index = 0;
  for (const Node* item = node->first; item; item = item->next) {
    Path here = path.item(index++);
    if (item->is_null()) return fail(here.invalid("is empty"));
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      WEFT_CHECK(message(item, *into.GetReflection()->AddMessage(&into, &field), here));
    } else {
      WEFT_CHECK(scalar(item, into, field, here));
    }
  }
  return {};
}

/// Maps of the subset have text keys and messages as values.
Result<void> Reader::map(const Node* node, Message& into, const FieldDescriptor& field, const Path& path) {
  if (!node->is_mapping()) return fail(path.invalid("has to be a map, not " + kind_of(node)));
  for (const Node* key = node->first; key; key = key->next->next) {
    const std::string name(key->text);
    Message& entry = *into.GetReflection()->AddMessage(&into, &field);
    const Descriptor& type = *entry.GetDescriptor();
    entry.GetReflection()->SetString(&entry, type.map_key(), name);
    WEFT_CHECK(this->field(key->next, entry, *type.map_value(), path.entry(name)));
  }
  return {};
}

template <class T>
void store(Message& into, const FieldDescriptor& field, T value,
           void (pb::Reflection::*set)(Message*, const FieldDescriptor*, T) const,
           void (pb::Reflection::*add)(Message*, const FieldDescriptor*, T) const) {
  (into.GetReflection()->*(field.is_repeated() ? add : set))(&into, &field, std::move(value));
}

Result<void> Reader::scalar(const Node* node, Message& into, const FieldDescriptor& field, const Path& path) {
  if (!node->is_scalar()) return fail(path.invalid("has to be one value, not " + kind_of(node)));
  std::string text(node->text);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false")
        return fail(path.invalid("has to be true or false, not '" + text + "'"));
      store(into, field, text == "true", &pb::Reflection::SetBool, &pb::Reflection::AddBool);
      return {};
    case FieldDescriptor::CPPTYPE_STRING: {
      if (node->plain && looks_typed(text))
        return fail(path.invalid("has to be text: \"" + text + "\" in quotes"));
      if (field.type() == FieldDescriptor::TYPE_BYTES) {
        auto bytes = decode_base64(text);
        if (!bytes) return fail(path.invalid("has to be base64"));
        text = std::move(*bytes);
      }
      store<std::string>(into, field, std::move(text), &pb::Reflection::SetString,
                         &pb::Reflection::AddString);
      return {};
    }
    case FieldDescriptor::CPPTYPE_ENUM: return enumerator(text, into, field, path);
    default: return number(text, into, field, path);
  }
}

Result<void> Reader::number(std::string_view text, Message& into, const FieldDescriptor& field,
                            const Path& path) {
  bool good = false;
  auto take = [&]<class T>(T, auto set, auto add) {
    T value{};
    good = parse_number(text, value);
    if (good) store<T>(into, field, value, set, add);
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_UINT32:
      take(std::uint32_t{}, &pb::Reflection::SetUInt32, &pb::Reflection::AddUInt32);
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      take(std::uint64_t{}, &pb::Reflection::SetUInt64, &pb::Reflection::AddUInt64);
      break;
    case FieldDescriptor::CPPTYPE_INT32:
      take(std::int32_t{}, &pb::Reflection::SetInt32, &pb::Reflection::AddInt32);
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      take(std::int64_t{}, &pb::Reflection::SetInt64, &pb::Reflection::AddInt64);
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      take(double{}, &pb::Reflection::SetDouble, &pb::Reflection::AddDouble);
      break;
    default:
      return fail(path.unsupported("fields of type " + std::string(field.cpp_type_name()) + " are not read"));
  }
  if (!good)
    return fail(path.invalid("has to be a number (" + std::string(field.cpp_type_name()) + "), not '" +
                             std::string(text) + "'"));
  return {};
}

Result<void> Reader::enumerator(std::string_view text, Message& into, const FieldDescriptor& field,
                                const Path& path) {
  const auto* type = field.enum_type();
  const auto* found = type->FindValueByName(std::string(text));
  int value = 0;
  if (!found && parse_number(text, value)) found = type->FindValueByNumber(value);
  if (!found) {
    std::string known;
    for (int i = 0; i < type->value_count(); ++i) known += (i ? ", " : "") + type->value(i)->name();
    return fail(path.invalid("has to be one of " + known + ", not '" + std::string(text) + "'"));
  }
  auto& reflection = *into.GetReflection();
  field.is_repeated() ? reflection.AddEnum(&into, &field, found) : reflection.SetEnum(&into, &field, found);
  return {};
}

Result<void> Reader::any(const Node* node, pb::Any& into, const Path& path) {
  if (!node->is_mapping()) return fail(path.invalid("has to be a map, not " + kind_of(node)));
  std::string url;
  for (const Node* key = node->first; key; key = key->next->next)
    if (key->text == "@type") url = key->next->text;
  if (url.empty()) return fail(path.field("@type").invalid("is missing; it names the extension's message"));
  const auto* type =
      pb::DescriptorPool::generated_pool()->FindMessageTypeByName(url.substr(url.rfind('/') + 1));
  if (!type) return fail(path.field("@type").unsupported("unknown or unsupported extension '" + url + "'"));
  std::unique_ptr<Message> inner(pb::MessageFactory::generated_factory()->GetPrototype(type)->New());
  WEFT_CHECK(fields(node, *inner, path));
  into.set_type_url(url);
  into.set_value(inner->SerializeAsString());
  return {};
}

Result<void> Reader::duration(const Node* node, pb::Duration& into, const Path& path) {
  std::string text(node->text);
  if (!text.ends_with('s') || !pb::util::TimeUtil::FromString(text, &into))
    return fail(path.invalid("has to be a duration like \"1.5s\", not " + kind_of(node)));
  return {};
}

Result<void> Reader::structure(const Node* node, pb::Struct& into, const Path& path) {
  if (!node->is_mapping()) return fail(path.invalid("has to be a map, not " + kind_of(node)));
  for (const Node* key = node->first; key; key = key->next->next) {
    const std::string name(key->text);
    WEFT_CHECK(value(key->next, (*into.mutable_fields())[name], path.field(name)));
  }
  return {};
}

Result<void> Reader::value(const Node* node, pb::Value& into, const Path& path) {
  if (++nodes_ > kMaxNodes) return fail(path.invalid("the document is too large once aliases are expanded"));
  if (depth_ >= kMaxDepth) return fail(path.invalid("nested more than 100 deep"));
  if (node->is_null()) {
    into.set_null_value(pb::NULL_VALUE);
    return {};
  }
  if (node->is_scalar()) {
    std::string text(node->text);
    double number = 0;
    bool plain = node->plain;
    if (plain && (text == "true" || text == "false")) {
      into.set_bool_value(text == "true");
    } else if (plain && parse_number(text, number)) {
      into.set_number_value(number);
    } else {
      into.set_string_value(text);
    }
    return {};
  }
  ++depth_;
  Result<void> done;
  if (node->is_mapping()) {
    done = structure(node, *into.mutable_struct_value(), path);
  } else {
    auto& items = *into.mutable_list_value();
    int index = 0;
    for (const Node* item = node->first; item; item = item->next)
      if (done = value(item, *items.add_values(), path.item(index++)); !done) break;
  }
  --depth_;
  return done;
}

}  // namespace

Result<void> read_message(const yaml::Document& document, Message& into) {
  if (!document.root()) return fail(Error::config(Code::kInvalid, document.file_name() + ": is empty"));
  Reader reader;
  auto done = reader.message(document.root(), into, Path());
  if (!done) return fail(document.locate(std::move(done).error()));
  return {};
}

}  // namespace weft::xds

#include "install/open_api.h"

#include <limits>
#include <string>

namespace weft::install {
namespace {

using api::Field;
using api::Json;
using api::Type;

Json anything() { return {{"x-kubernetes-preserve-unknown-fields", true}}; }

Json text_of(const Field& field) {
  Json schema = {{"type", "string"}};
  if (field.values.empty()) return schema;
  Json& values = schema["enum"] = Json::array();
  for (const std::string_view each : field.values) values.push_back(each);
  for (const std::string_view each : field.later_values) values.push_back(each);
  return schema;
}

Json number_of(const Field& field) {
  const bool whole = field.type == Type::kInteger;
  Json schema = {{"type", whole ? "integer" : "number"}};
  if (field.min != std::numeric_limits<std::int64_t>::min()) schema["minimum"] = field.min;
  if (field.max != std::numeric_limits<std::int64_t>::max()) schema["maximum"] = field.max;
  if (whole) schema["format"] = field.max <= std::numeric_limits<std::int32_t>::max() ? "int32" : "int64";
  return schema;
}

/// One value of the field, whatever its shape.
Json one_of(const Field& field) {
  switch (field.type) {
    case Type::kText: return text_of(field);
    case Type::kBool: return {{"type", "boolean"}};
    case Type::kInteger:
    case Type::kNumber: return number_of(field);
    case Type::kIntOrText:
    case Type::kQuantity: return {{"x-kubernetes-int-or-string", true}};
    case Type::kObject: return open_api(*field.object);
    case Type::kRaw: break;
  }
  return anything();
}

Json schema_of(const Field& field) {
  if (field.support == api::Support::kLater) {
    Json schema = anything();
    schema["description"] =
        "Not served by weft, and rejected." +
        (field.advice.empty() ? std::string() : " Instead: " + std::string(field.advice) + ".");
    return schema;
  }
  Json one = one_of(field);
  if (field.shape == api::Shape::kList) return {{"type", "array"}, {"items", std::move(one)}};
  if (field.shape == api::Shape::kMap) return {{"type", "object"}, {"additionalProperties", std::move(one)}};
  return one;
}

}  // namespace

Json open_api(const api::Schema& schema) {
  Json made = {{"type", "object"}};
  Json required = Json::array();
  for (const Field& field : schema.fields) {
    made["properties"][std::string(field.name)] = schema_of(field);
    if (field.is_required) required.push_back(field.name);
  }
  if (!required.empty()) made["required"] = std::move(required);
  made["x-kubernetes-preserve-unknown-fields"] = true;
  return made;
}

}  // namespace weft::install

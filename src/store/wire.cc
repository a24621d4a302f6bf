#include "store/wire.h"

#include <charconv>

#include "base/strings.h"
#include "http/server.h"

namespace weft::store {

std::string text_member(const api::Json& object, std::string_view name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get_ref<const std::string&>() : std::string();
}

Result<std::uint64_t> version_of(std::string_view text) {
  std::uint64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error == std::errc() && end == text.data() + text.size()) return version;
  return fail(Error::internal(
      Code::kUnsupported,
      "the server's resourceVersion \"" + std::string(cut(text, 80)) + "\" is not a decimal number"));
}

Result<api::ObjectPtr> object_of_wire(api::Json body, const api::KindInfo& kind) {
  auto object = std::make_shared<api::Object>();
  object->kind = &kind;
  object->body = std::move(body);
  if (!object->body.is_object() || object->name().empty())
    return fail(Error::internal(Code::kInvalid, "the server sent something that is not an object"));
  // Items of a list come without these two.
  if (!object->body.contains("kind")) object->body["kind"] = kind.kind;
  if (!object->body.contains("apiVersion")) object->body["apiVersion"] = kind.api_version();
  WEFT_TRY(const std::uint64_t version, version_of(text_member(object->body["metadata"], "resourceVersion")));
  static_cast<void>(version);
  return api::ObjectPtr(std::move(object));
}

std::string selectors_of(const Query& query) {
  std::string text;
  if (!query.label_selector.empty())
    text += "labelSelector=" + http::percent_encode(query.label_selector) + "&";
  if (!query.name.empty()) text += "fieldSelector=metadata.name%3D" + http::percent_encode(query.name) + "&";
  return text;
}

}  // namespace weft::store

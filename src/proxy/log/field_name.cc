#include "proxy/log/field_name.h"

#include <array>

#include "http/rules.h"
#include "proxy/kept_field.h"

namespace weft::proxy {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

template <class Head>
std::optional<std::string_view> known_value(const Head& head, http::HeaderId known) {
  if (!is_kept(known)) return head.headers.get(known);
  static thread_local std::array<char, 20> digits;
  const std::string_view value = kept_field(head, known, digits);
  return value.empty() ? std::nullopt : std::optional(value);
}

}  // namespace

FieldName::FieldName(std::string_view name)
    : name_(lower(name)), known_(http::known_field(name_)), pseudo_(pseudo_of(name_)) {}

FieldName::Pseudo FieldName::pseudo_of(std::string_view name) {
  if (!name.starts_with(':')) return Pseudo::kNone;
  if (name == ":method") return Pseudo::kMethod;
  if (name == ":path") return Pseudo::kPath;
  if (name == ":authority") return Pseudo::kAuthority;
  return name == ":scheme" ? Pseudo::kScheme : Pseudo::kUnknown;
}

bool FieldName::may_be_in_request() const {
  return pseudo_ == Pseudo::kNone ? http::is_token(name_) : pseudo_ != Pseudo::kUnknown;
}

bool FieldName::may_be_in_response() const { return http::is_token(name_); }

std::optional<std::string_view> FieldName::value_in(const http::RequestHead& head) const {
  if (known_ != http::HeaderId::kOther && known_ != http::HeaderId::kHost) return known_value(head, known_);
  if (known_ == http::HeaderId::kOther && pseudo_ == Pseudo::kNone)
    return head.headers.get(std::string_view(name_));
  std::string_view value = head.authority;
  switch (pseudo_) {
    case Pseudo::kMethod: value = head.method; break;
    case Pseudo::kPath: value = head.path; break;
    case Pseudo::kScheme: value = head.scheme; break;
    case Pseudo::kUnknown: value = {}; break;
    default: break;
  }
  return value.empty() ? std::nullopt : std::optional(value);
}

std::optional<std::string_view> FieldName::value_in(const http::ResponseHead& head) const {
  if (known_ != http::HeaderId::kOther) return known_value(head, known_);
  if (pseudo_ != Pseudo::kNone) return std::nullopt;
  return head.headers.get(std::string_view(name_));
}

}  // namespace weft::proxy

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace weft::proxy {

/// A field of a message by the name that a format gives, looked up once so that no line compares names:
/// "user-agent", or ":path" for what the head has instead of a field (RFC 9113 §8.3.1).
///
/// Owner: a format. Immutable; any thread.
class FieldName {
 public:
  FieldName() = default;
  explicit FieldName(std::string_view name);
  bool empty() const { return name_.empty(); }
  /// Whether any head of that sort could have it.
  bool may_be_in_request() const;
  bool may_be_in_response() const;

  /// The first value. Valid until the head changes, or this thread asks for the next value: a length is
  /// written out for it.
  std::optional<std::string_view> value_in(const http::RequestHead& head) const;
  std::optional<std::string_view> value_in(const http::ResponseHead& head) const;

 private:
  enum class Pseudo : std::uint8_t { kNone, kMethod, kPath, kAuthority, kScheme, kUnknown };
  static Pseudo pseudo_of(std::string_view name);

  std::string name_;  ///< in lower case
  http::HeaderId known_ = http::HeaderId::kOther;
  Pseudo pseudo_ = Pseudo::kNone;
};

}  // namespace weft::proxy

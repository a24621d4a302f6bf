#pragma once

#include <array>
#include <charconv>
#include <string_view>

#include "http/message.h"

namespace weft::proxy {

/// Whether a codec keeps the field in the head's members and not among its headers.
constexpr bool is_kept(http::HeaderId field) {
  return field == http::HeaderId::kUpgrade || field == http::HeaderId::kContentLength;
}

/// Such a field as a value, of a request or a response; empty: it is not there. Valid as long as the head and
/// `digits`, which a length is written to. Any thread.
template <class Head>
std::string_view kept_field(const Head& head, http::HeaderId field, std::array<char, 20>& digits) {
  if (field == http::HeaderId::kUpgrade) return head.upgrade;
  if (!head.content_length) return {};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), *head.content_length);
  return {digits.data(), static_cast<std::size_t>(written.ptr - digits.data())};
}

}  // namespace weft::proxy

#include <algorithm>

#include "proxy/log/format.h"
#include "xds/convert.h"

namespace weft::xds {
namespace {

bool visible(char c) { return c > 0x20 && c < 0x7f; }

/// "0x0a" of the first byte that does not satisfy `good`; empty when there is none.
template <class Good>
std::string bad_byte(std::string_view text, Good good) {
  const auto at = std::ranges::find_if_not(text, good);
  if (at == text.end()) return {};
  static constexpr char kHex[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(*at);
  std::string name = "the byte 0x";
  name += kHex[byte >> 4];
  name += kHex[byte & 15];
  if (byte == 0x0a) name += " (a line end)";
  return name + " at position " + std::to_string(at - text.begin());
}

}  // namespace

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != kMarks.npos;
  });
}

Result<void> expect_field_value(std::string_view text, const Path& path) {
  const std::string bad = bad_byte(
      text, [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); });
  if (!bad.empty()) return fail(path.invalid("a header's value may not have " + bad));
  return {};
}

Result<void> expect_format(std::string_view text, const Path& path) {
  const auto compiled = proxy::LogFormat::compile(text);
  if (!compiled) return fail(path.invalid(compiled.error().text + "; a per cent sign itself is '%%'"));
  return {};
}

Result<void> expect_target(std::string_view text, const Path& path) {
  const std::string bad = bad_byte(text, [](char c) { return visible(c) && c != '#'; });
  if (!bad.empty()) return fail(path.invalid("a path may not have " + bad + "; encode it with '%'"));
  return {};
}

Result<void> expect_authority(std::string_view text, const Path& path) {
  constexpr std::string_view kOthers = "/@,\"<>\\?#";
  const std::string bad =
      bad_byte(text, [&](char c) { return visible(c) && kOthers.find(c) == kOthers.npos; });
  if (!bad.empty()) return fail(path.invalid("a host may not have " + bad));
  return {};
}

}  // namespace weft::xds

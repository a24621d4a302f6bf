#include "common/text.h"

#include <openssl/asn1.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace bookinfo {

namespace {

/// How many bytes the letter at the front has; 0 when it is no UTF-8.
std::size_t letter_size(std::string_view text) {
  unsigned long letter = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  // Four bytes are the longest; the function would take six, of what was UTF-8 once.
  const int size = ::UTF8_getc(bytes, static_cast<int>(std::min<std::size_t>(text.size(), 4)), &letter);
  constexpr unsigned long kLast = 0x10FFFF;
  return size > 0 && letter <= kLast ? static_cast<std::size_t>(size) : 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = letter_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string html_escape(std::string_view text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string escaped;
  escaped.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char letter = text[at];
    if (static_cast<unsigned char>(letter) >= 0x80) {
      const std::size_t size = letter_size(text.substr(at));
      escaped += size == 0 ? kReplacement : text.substr(at, size);
      if (size > 1) at += size - 1;
      continue;
    }
    switch (letter) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&#34;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += letter;
    }
  }
  return escaped;
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned byte = 0;
    if (text[at] == '%' && at + 2 < text.size()) {
      const char* digits = text.data() + at + 1;
      const auto read = std::from_chars(digits, digits + 2, byte, 16);
      if (read.ec == std::errc{} && read.ptr == digits + 2) {
        decoded += static_cast<char>(byte);
        at += 2;
        continue;
      }
    }
    decoded += plus_is_space && text[at] == '+' ? ' ' : text[at];
  }
  return decoded;
}

std::optional<std::string> form_value(std::string_view form, std::string_view name) {
  while (!form.empty()) {
    const auto end = form.find('&');
    const std::string_view pair = form.substr(0, end);
    form = end == std::string_view::npos ? "" : form.substr(end + 1);
    const auto equals = pair.find('=');
    if (percent_decode(pair.substr(0, equals), true) != name) continue;
    return equals == std::string_view::npos ? "" : percent_decode(pair.substr(equals + 1), true);
  }
  return std::nullopt;
}

std::optional<std::string_view> cookie_value(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    const auto end = cookies.find(';');
    std::string_view pair = cookies.substr(0, end);
    cookies = end == std::string_view::npos ? "" : cookies.substr(end + 1);
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('='))
      return pair.substr(name.size() + 1);
  }
  return std::nullopt;
}

std::string http_date(std::time_t when) {
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  std::array<char, 40> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

}  // namespace bookinfo

#include "http/rules.h"

#include <arpa/inet.h>

#include <array>

#include "http/message.h"

namespace weft::http {
namespace {

consteval std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}

consteval std::array<bool, 256> make_value_table() {
  std::array<bool, 256> table{};
  for (std::size_t c = 0x20; c < 256; ++c) table[c] = c != 0x7f;
  table['\t'] = true;
  return table;
}

/// RFC 3986 §3.2.2, reg-name, and '%' for what is encoded.
consteval std::array<bool, 256> make_name_table() {
  std::array<bool, 256> table{};
  for (std::size_t c = '0'; c <= '9'; ++c) table[c] = true;
  for (std::size_t c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (std::size_t c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (const char c : std::string_view("-._~!$&'()*+;=%")) table[static_cast<unsigned char>(c)] = true;
  return table;
}

constexpr auto kToken = make_token_table();
constexpr auto kName = make_name_table();
constexpr auto kValue = make_value_table();

}  // namespace

bool is_token_char(char c) { return kToken[static_cast<unsigned char>(c)]; }

bool is_token(std::string_view text) {
  for (const char c : text)
    if (!is_token_char(c)) return false;
  return !text.empty();
}

bool is_field_value(std::string_view text) {
  bool good = true;
  for (const char c : text) good &= kValue[static_cast<unsigned char>(c)];
  return good;
}

namespace {

constexpr std::size_t kMaxPort = 5;

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_registered_name(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!kName[static_cast<unsigned char>(text[i])]) return false;
    if (text[i] == '%' && (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])))
      return false;
  }
  return !text.empty();
}

bool is_v6(std::string_view text) {
  char copy[INET6_ADDRSTRLEN] = {};
  if (text.size() >= sizeof copy) return false;
  text.copy(copy, text.size());
  unsigned char address[16];
  return inet_pton(AF_INET6, copy, address) == 1;
}

}  // namespace

bool is_authority(std::string_view text) {
  const bool literal = text.starts_with('[');
  const auto bracket = literal ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return false;
  const auto colon = text.find(':', bracket);
  const std::string_view host = text.substr(0, colon);
  if (literal ? host.size() != bracket + 1 || !is_v6(host.substr(1, bracket - 1)) : !is_registered_name(host))
    return false;
  if (colon == std::string_view::npos || colon + 1 == text.size()) return true;
  const std::string_view port = text.substr(colon + 1);
  return port.size() <= kMaxPort && is_digits(port);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_digits(std::string_view text) {
  for (const char c : text)
    if (c < '0' || c > '9') return false;
  return !text.empty();
}

bool is_target(std::string_view text) {
  for (const char c : text)
    if (c <= 0x20 || c == 0x7f) return false;  // char is signed: this also rejects bytes from 0x80
  return !text.empty();
}

bool is_tunnel_target(std::string_view text) {
  return is_authority(text) && text.rfind(':') != std::string_view::npos && text.back() != ':' &&
         text.back() != ']';
}

bool is_framing_with_underscore(std::string_view name) {
  return equal_ignoring_case(name, "transfer_encoding") || equal_ignoring_case(name, "content_length");
}

}  // namespace weft::http

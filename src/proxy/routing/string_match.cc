#include "proxy/routing/string_match.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <optional>

#include "proxy/kept_field.h"

namespace weft::proxy {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

bool matches_ignoring_case(const StringMatch& match, std::string_view text) {
  const std::string& want = match.text;
  switch (match.kind) {
    case StringMatch::Kind::kExact: return http::equal_ignoring_case(text, want);
    case StringMatch::Kind::kPrefix: return starts_with_ignoring_case(text, want);
    case StringMatch::Kind::kSuffix:
      return text.size() >= want.size() &&
             http::equal_ignoring_case(text.substr(text.size() - want.size()), want);
    case StringMatch::Kind::kContains: return contains_ignoring_case(text, want);
    default: return false;
  }
}

std::string_view pseudo_field(std::string_view name, const http::RequestHead& request) {
  if (name == ":method") return request.method;
  if (name == ":path") return request.path;
  if (name == ":scheme") return request.scheme;
  return request.authority;
}

bool matches_fields(const HeaderMatch& match, http::HeaderId known, const http::Headers& fields);
bool matches_value(const HeaderMatch& match, std::string_view value);

template <class Head>
bool matches_named(const HeaderMatch& match, const Head& head) {
  const http::HeaderId known = http::known_field(match.name);
  if (!is_kept(known)) return matches_fields(match, known, head.headers);
  std::array<char, 20> digits;
  return matches_value(match, kept_field(head, known, digits));
}

bool satisfied_by_absence(const HeaderMatch& match) {
  if (match.match.kind == StringMatch::Kind::kPresent) return match.invert;
  return match.treat_missing_as_empty && matches(match.match, {}) != match.invert;
}

}  // namespace

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && http::equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

bool matches(const StringMatch& match, std::string_view text) {
  if (match.kind == StringMatch::Kind::kPresent) return true;
  if (match.kind == StringMatch::Kind::kRegex)
    return match.regex && RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *match.regex);
  if (match.ignore_case) return matches_ignoring_case(match, text);
  switch (match.kind) {
    case StringMatch::Kind::kExact: return text == match.text;
    case StringMatch::Kind::kPrefix: return text.starts_with(match.text);
    case StringMatch::Kind::kSuffix: return text.ends_with(match.text);
    default: return text.find(match.text) != std::string_view::npos;
  }
}

bool matches(const HeaderMatch& match, const http::RequestHead& request) {
  if (!match.name.starts_with(':') && match.name != "host") return matches_named(match, request);
  return matches_value(match, pseudo_field(match.name, request));
}

bool matches(const HeaderMatch& match, const http::ResponseHead& response) {
  return matches_named(match, response);
}

namespace {

/// An empty value is that of a field that is not there.
bool matches_value(const HeaderMatch& match, std::string_view value) {
  if (value.empty()) return satisfied_by_absence(match);
  return matches(match.match, value) != match.invert;
}

bool matches_fields(const HeaderMatch& match, http::HeaderId known, const http::Headers& fields) {
  bool present = false;
  for (const http::Headers::Field field : fields) {
    if (field.known != known ||
        (known == http::HeaderId::kOther && !http::equal_ignoring_case(field.name, match.name)))
      continue;
    if (matches(match.match, field.value)) return !match.invert;
    present = true;
  }
  return present ? match.invert : satisfied_by_absence(match);
}

}  // namespace

bool matches(const QueryMatch& match, std::string_view query) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const auto equals = pair.find('=');
    if (pair.substr(0, equals) == match.name)
      return matches(match.match,
                     equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace weft::proxy

#include "base/strings.h"
#include "http/connection_fields.h"
#include "xds/convert.h"

namespace weft::xds {
namespace {

using proxy::PathMatch;
using proxy::StringMatch;

Result<proxy::PathMatch> to_path_match(const route::RouteMatch& from, const Path& path) {
  PathMatch made;
  made.ignore_case = from.has_case_sensitive() && !from.case_sensitive().value();
  switch (from.path_specifier_case()) {
    case route::RouteMatch::kPrefix: made.kind = PathMatch::Kind::kPrefix, made.text = from.prefix(); break;
    case route::RouteMatch::kPath: made.kind = PathMatch::Kind::kExact, made.text = from.path(); break;
    case route::RouteMatch::kPathSeparatedPrefix: {
      made.kind = PathMatch::Kind::kSeparatedPrefix;
      made.text = from.path_separated_prefix();
      if (!made.text.starts_with('/') || made.text.ends_with('/') ||
          made.text.find_first_of("?#") != made.text.npos)
        return fail(
            path.field("path_separated_prefix")
                .invalid("has to begin with '/', not to end with one, and to have no '?' or '#', not '" +
                         made.text + "'"));
      break;
    }
    case route::RouteMatch::kSafeRegex: {
      made.kind = PathMatch::Kind::kRegex;
      WEFT_TRY(made.regex, to_regex(from.safe_regex(), path.field("safe_regex")));
      break;
    }
    case route::RouteMatch::kConnectMatcher:
      made.kind = PathMatch::Kind::kConnect;
      made.text.clear();
      break;
    default:
      return fail(path.invalid(
          "has to have one of prefix, path, safe_regex, path_separated_prefix, connect_matcher"));
  }
  return made;
}

StringMatch plain_match(StringMatch::Kind kind, std::string text) {
  StringMatch made;
  made.kind = kind;
  made.text = std::move(text);
  return made;
}

Result<proxy::QueryMatch> to_query_match(const route::QueryParameterMatcher& from, const Path& path) {
  proxy::QueryMatch made;
  made.name = from.name();
  if (made.name.empty()) return fail(path.field("name").invalid("is missing"));
  made.match.kind = StringMatch::Kind::kPresent;
  if (from.has_string_match()) {
    WEFT_TRY(made.match, to_string_match(from.string_match(), path.field("string_match")));
  } else if (from.has_present_match() && !from.present_match()) {
    return fail(path.field("present_match").unsupported("false is not supported"));
  }
  return made;
}

/// Fields that the codec takes out of each message for itself; no rule ever sees them.
bool is_hidden(http::HeaderId field) {
  if (field == http::HeaderId::kUpgrade) return false;  // kept in the head
  return field == http::HeaderId::kExpect || http::is_of_the_connection(field);
}

}  // namespace

Result<proxy::HeaderMatch> to_header_match(const route::HeaderMatcher& from, const Path& path) {
  using Kind = StringMatch::Kind;
  proxy::HeaderMatch made;
  made.name = to_lower(from.name());
  if (made.name.empty()) return fail(path.field("name").invalid("is missing"));
  if (made.name == "host") made.name = ":authority";
  const bool pseudo =
      made.name == ":authority" || made.name == ":method" || made.name == ":path" || made.name == ":scheme";
  if (made.name.starts_with(':') && !pseudo)
    return fail(path.field("name").unsupported(
        "'" + made.name + "' cannot be matched: only :authority, :method, :path and :scheme can"));
  if (is_hidden(http::known_field(made.name)))
    return fail(path.field("name").unsupported(
        "'" + made.name + "' cannot be matched: it is of the connection and ends at this proxy"));
  made.invert = from.invert_match();
  made.treat_missing_as_empty = from.treat_missing_header_as_empty();
  switch (from.header_match_specifier_case()) {
    case route::HeaderMatcher::kExactMatch: made.match = plain_match(Kind::kExact, from.exact_match()); break;
    case route::HeaderMatcher::kPrefixMatch:
      made.match = plain_match(Kind::kPrefix, from.prefix_match());
      break;
    case route::HeaderMatcher::kSuffixMatch:
      made.match = plain_match(Kind::kSuffix, from.suffix_match());
      break;
    case route::HeaderMatcher::kContainsMatch:
      made.match = plain_match(Kind::kContains, from.contains_match());
      break;
    case route::HeaderMatcher::kSafeRegexMatch: {
      made.match.kind = Kind::kRegex;
      WEFT_TRY(made.match.regex, to_regex(from.safe_regex_match(), path.field("safe_regex_match")));
      break;
    }
    case route::HeaderMatcher::kStringMatch: {
      WEFT_TRY(made.match, to_string_match(from.string_match(), path.field("string_match")));
      break;
    }
    case route::HeaderMatcher::kPresentMatch:
      made.match.kind = Kind::kPresent;
      made.invert = made.invert == from.present_match();
      break;
    default: made.match.kind = Kind::kPresent;
  }
  return made;
}

std::uint32_t per_million(const envoy::type::v3::FractionalPercent& from) {
  std::uint64_t scale = 1;
  if (from.denominator() == envoy::type::v3::FractionalPercent::HUNDRED) scale = 10'000;
  if (from.denominator() == envoy::type::v3::FractionalPercent::TEN_THOUSAND) scale = 100;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(1'000'000, from.numerator() * scale));
}

Result<proxy::RouteMatch> to_route_match(const route::RouteMatch& from, const Path& path) {
  proxy::RouteMatch made;
  WEFT_TRY(made.path, to_path_match(from, path));
  Path headers = path.field("headers"), query = path.field("query_parameters");
  for (int i = 0; i < from.headers_size(); ++i) {
    WEFT_TRY(auto match, to_header_match(from.headers(i), headers.item(i)));
    made.headers.push_back(std::move(match));
  }
  for (int i = 0; i < from.query_parameters_size(); ++i) {
    WEFT_TRY(auto match, to_query_match(from.query_parameters(i), query.item(i)));
    made.query.push_back(std::move(match));
  }
  if (from.has_runtime_fraction())
    made.runtime_fraction_per_million = per_million(from.runtime_fraction().default_value());
  return made;
}

}  // namespace weft::xds

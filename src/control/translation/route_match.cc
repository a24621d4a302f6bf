#include "control/translation/route_match.h"

#include "control/translation/messages.h"

namespace weft::control {
namespace {

using api::istio::NamedMatch;
using api::istio::StringMatch;

void set_string_match(envoy::type::matcher::v3::StringMatcher& into, const StringMatch& match) {
  switch (match.form) {
    case StringMatch::Form::kPrefix: into.set_prefix(match.text); break;
    case StringMatch::Form::kRegex: into.mutable_safe_regex()->set_regex(match.text); break;
    case StringMatch::Form::kPresent:
    case StringMatch::Form::kExact: into.set_exact(match.text); break;
  }
}

void set_uri(route::RouteMatch& into, const StringMatch& uri) {
  switch (uri.form) {
    case StringMatch::Form::kExact: into.set_path(uri.text); break;
    case StringMatch::Form::kRegex: into.mutable_safe_regex()->set_regex(uri.text); break;
    case StringMatch::Form::kPresent:
    case StringMatch::Form::kPrefix: into.set_prefix(uri.text.empty() ? "/" : uri.text); break;
  }
}

void add_header(route::RouteMatch& into, const std::string& name, const StringMatch& match, bool without) {
  auto& header = *into.add_headers();
  header.set_name(name);
  if (match.form == StringMatch::Form::kPresent) {
    header.set_present_match(true);
  } else {
    set_string_match(*header.mutable_string_match(), match);
    // A header that is not there differs from every value.
    if (without) header.set_treat_missing_header_as_empty(true);
  }
  header.set_invert_match(without);
}

}  // namespace

void set_route_match(route::RouteMatch& into, const api::istio::RequestMatch& match) {
  set_uri(into, match.uri.value_or(StringMatch()));
  if (match.ignore_uri_case && !into.has_safe_regex()) into.mutable_case_sensitive()->set_value(false);
  if (match.method) add_header(into, ":method", *match.method, false);
  if (match.authority) add_header(into, ":authority", *match.authority, false);
  if (match.scheme) add_header(into, ":scheme", *match.scheme, false);
  for (const NamedMatch& each : match.headers) add_header(into, each.name, each.value, false);
  for (const NamedMatch& each : match.without_headers) add_header(into, each.name, each.value, true);
  for (const NamedMatch& each : match.query_params) {
    auto& query = *into.add_query_parameters();
    query.set_name(each.name);
    if (each.value.form == StringMatch::Form::kPresent)
      query.set_present_match(true);
    else
      set_string_match(*query.mutable_string_match(), each.value);
  }
}

void set_path_rewrite(route::Route& made, std::string_view uri) {
  if (!made.match().has_safe_regex()) {
    made.mutable_route()->set_prefix_rewrite(std::string(uri));
    return;
  }
  // The match is of the whole path, and so is what is replaced: a pattern by itself may fit a part of it, or
  // several.
  auto& rewrite = *made.mutable_route()->mutable_regex_rewrite();
  rewrite.mutable_pattern()->set_regex("^(?:" + made.match().safe_regex().regex() + ")$");
  std::string literal;
  for (char c : uri) literal += c == '\\' ? std::string("\\\\") : std::string(1, c);
  rewrite.set_substitution(literal);
}

bool is_catch_all(const route::RouteMatch& match) {
  bool any_path = match.prefix() == "/" || (match.has_safe_regex() && match.safe_regex().regex() == ".*");
  return any_path && match.headers_size() == 0 && match.query_parameters_size() == 0;
}

}  // namespace weft::control

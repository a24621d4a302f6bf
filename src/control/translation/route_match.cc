#include "control/translation/route_match.h"

#include "control/json.h"
#include "control/translation/messages.h"

namespace weft::control {
namespace {

void set_string_match(envoy::type::matcher::v3::StringMatcher& into, const api::Json& match) {
  if (match.contains("prefix")) {
    into.set_prefix(std::string(json::text(match, "prefix")));
  } else if (match.contains("regex")) {
    into.mutable_safe_regex()->set_regex(std::string(json::text(match, "regex")));
  } else {
    into.set_exact(std::string(json::text(match, "exact")));
  }
}

void set_uri(route::RouteMatch& into, const api::Json& uri) {
  if (uri.contains("exact")) {
    into.set_path(std::string(json::text(uri, "exact")));
  } else if (uri.contains("regex")) {
    into.mutable_safe_regex()->set_regex(std::string(json::text(uri, "regex")));
  } else {
    std::string_view prefix = json::text(uri, "prefix");
    into.set_prefix(prefix.empty() ? "/" : std::string(prefix));
  }
}

/// `match` {} asks only whether the header is there.
void add_header(route::RouteMatch& into, const std::string& name, const api::Json& match, bool without) {
  auto& header = *into.add_headers();
  header.set_name(name);
  if (match.empty()) {
    header.set_present_match(true);
  } else {
    set_string_match(*header.mutable_string_match(), match);
    // A header that is not there differs from every value.
    if (without) header.set_treat_missing_header_as_empty(true);
  }
  header.set_invert_match(without);
}

}  // namespace

void set_route_match(route::RouteMatch& into, const api::Json& match) {
  set_uri(into, json::map(match, "uri"));
  if (json::boolean(match, "ignoreUriCase") && !into.has_safe_regex())
    into.mutable_case_sensitive()->set_value(false);
  for (auto [field, name] :
       {std::pair{"method", ":method"}, {"authority", ":authority"}, {"scheme", ":scheme"}})
    if (match.contains(field)) add_header(into, name, json::map(match, field), false);
  for (const auto& [name, value] : json::map(match, "headers").items()) add_header(into, name, value, false);
  for (const auto& [name, value] : json::map(match, "withoutHeaders").items())
    add_header(into, name, value, true);
  for (const auto& [name, value] : json::map(match, "queryParams").items()) {
    auto& query = *into.add_query_parameters();
    query.set_name(name);
    if (value.empty()) {
      query.set_present_match(true);
    } else {
      set_string_match(*query.mutable_string_match(), value);
    }
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

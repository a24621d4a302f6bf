#include <algorithm>

#include "api/duration.h"
#include "api/json_text.h"
#include "api/rules/rules.h"
#include "api/schema/check.h"
#include "api/schema/formats.h"
#include "base/strings.h"

namespace weft::api {
namespace {

void check_count(const Json& value, const char* name, std::size_t max, const Path& at, Report& report) {
  const Json* list = member(value, name);
  if (list && list->size() > max)
    report.problem(at.at(name), "has " + std::to_string(list->size()) + " entries; at most " +
                                    std::to_string(max) + " are allowed");
}

bool is_regular_expression(const Json& match) { return text_of(match, "type") == "RegularExpression"; }

void check_text_match(const Json& match, const Path& at, Report& report) {
  if (!is_regular_expression(match) || !match.contains("value")) return;
  if (std::string complaint = regex(text_of(match, "value")); !complaint.empty())
    report.problem(at.at("value"), shown(match["value"]) + ": " + complaint);
}

void check_path(const Json& match, const Path& at, Report& report) {
  const Json* path = member(match, "path");
  if (!path) return;
  Path path_at = at.at("path");
  if (is_regular_expression(*path)) return check_text_match(*path, path_at, report);
  const Json* value = member(*path, "value");
  if (!value) return;
  const auto& text = value->get_ref<const std::string&>();
  std::string complaint = absolute_path(text);
  constexpr std::string_view kForbidden[] = {"//", "/./", "/../", "%2f", "%2F", "#", "?"};
  for (std::string_view part : kForbidden)
    if (complaint.empty() && text.find(part) != text.npos)
      complaint = "must not contain " + std::string(part);
  for (std::string_view end : {"/..", "/."})
    if (complaint.empty() && text.ends_with(end)) complaint = "must not end with " + std::string(end);
  if (!complaint.empty()) report.problem(path_at.at("value"), shown(*value) + ": " + complaint);
}

void check_match(const Json& match, const Path& at, Report& report) {
  check_path(match, at, report);
  if (text_of(match, "method") == "CONNECT")
    report.problem(at.at("method"), std::string(kConnectIsNotRouted));
  check_count(match, "headers", 16, at, report);
  check_count(match, "queryParams", 16, at, report);
  Unique headers("this header", report);
  each(match, "headers", at, [&](const Json& header, const Path& header_at) {
    headers.add(to_lower(text_of(header, "name")), header_at.at("name"));
    check_text_match(header, header_at, report);
  });
  Unique parameters("this parameter", report);
  each(match, "queryParams", at, [&](const Json& parameter, const Path& parameter_at) {
    parameters.add(std::string(text_of(parameter, "name")), parameter_at.at("name"));
    check_text_match(parameter, parameter_at, report);
  });
}

/// The member of a filter, or of a change of path, that its type speaks of: "RequestRedirect" and
/// "requestRedirect".
std::string member_of_type(std::string_view type) {
  if (type == "URLRewrite") return "urlRewrite";
  std::string name(type);
  name[0] = static_cast<char>(name[0] - 'A' + 'a');
  return name;
}

/// Every match of the rule is a prefix: only then is there a matched prefix to replace. No matches are "/".
bool has_only_prefixes(const Json& rule) {
  const Json* matches = member(rule, "matches");
  return !matches || std::ranges::all_of(*matches, [](const Json& match) {
    const Json* path = member(match, "path");
    std::string_view type = path ? text_of(*path, "type") : std::string_view();
    return type.empty() || type == "PathPrefix";
  });
}

void check_path_change(const Json& action, const Json& rule, const Path& at, Report& report) {
  const Json* change = member(action, "path");
  if (!change) return;
  Path change_at = at.at("path");
  std::string wanted = member_of_type(text_of(*change, "type"));
  const Json* value = member(*change, wanted);
  if (!value) return report.problem(change_at.at(wanted), "is required with this type");
  if (wanted == "replacePrefixMatch" && !has_only_prefixes(rule))
    report.problem(change_at.at("type"), "ReplacePrefixMatch needs matches of type PathPrefix only");
}

void check_redirect(const Json& redirect, const Json& rule, const Path& at, Report& report) {
  check_path_change(redirect, rule, at, report);
  constexpr int kCodes[] = {301, 302, 303, 307, 308};
  const Json* code = member(redirect, "statusCode");
  if (code && std::ranges::find(kCodes, code->get<int>()) == std::end(kCodes))
    report.problem(at.at("statusCode"), shown(*code) + ": must be 301, 302, 303, 307 or 308");
}

/// The host of a request can be set, and nothing else be done with it; a response has none.
void check_header_changes(const Json& action, std::string_view filter, const Path& at, Report& report) {
  const bool request = filter == "requestHeaderModifier";
  const auto check = [&](const Json& name, bool sets, const Path& name_at) {
    if (is_host_header(name.get_ref<const std::string&>()) && !(request && sets))
      report.problem(name_at, shown(name) + ": the host can only be set, and of requests");
  };
  for (const char* list : {"set", "add"})
    each(action, list, at, [&](const Json& header, const Path& header_at) {
      check(header["name"], std::string_view(list) == "set", header_at.at("name"));
    });
  each(action, "remove", at, [&](const Json& name, const Path& name_at) { check(name, false, name_at); });
}

/// Each filter says what its type says, and each type is there once.
void check_filters(const Json& owner, const Json& rule, const Path& at, Report& report) {
  check_count(owner, "filters", 16, at, report);
  Unique types("this filter", report);
  each(owner, "filters", at, [&](const Json& filter, const Path& filter_at) {
    std::string type(text_of(filter, "type"));
    types.add(type, filter_at.at("type"));
    std::string wanted = member_of_type(type);
    const Json* action = member(filter, wanted);
    if (!action) report.problem(filter_at.at(wanted), "is required with type " + type);
    for (const auto& [name, value] : filter.items())
      if (name != "type" && name != wanted)
        report.problem(filter_at.at(name), "does not belong to type " + type);
    if (action && wanted == "requestRedirect") check_redirect(*action, rule, filter_at.at(wanted), report);
    if (action && wanted.ends_with("HeaderModifier"))
      check_header_changes(*action, wanted, filter_at.at(wanted), report);
    if (action && wanted == "urlRewrite") check_path_change(*action, rule, filter_at.at(wanted), report);
  });
}

bool has_filter(const Json& rule, std::string_view type) {
  const Json* filters = member(rule, "filters");
  return filters &&
         std::ranges::any_of(*filters, [&](const Json& filter) { return text_of(filter, "type") == type; });
}

/// A redirect sends the request nowhere: what acts on its way has no effect beside it.
void check_redirecting_rule(const Json& rule, const Path& at, Report& report) {
  const Json* backends = member(rule, "backendRefs");
  if (backends && !backends->empty())
    report.problem(at.at("backendRefs"), "a rule that redirects has no backends");
  if (has_filter(rule, "URLRewrite"))
    report.problem(at.at("filters"), "RequestRedirect and URLRewrite exclude each other");
  const Json* timeouts = member(rule, "timeouts");
  if (timeouts && !timeouts->empty())
    report.no_effect(at.at("timeouts"), "a rule that redirects forwards nothing that could take time");
  each(rule, "filters", at, [&](const Json& filter, const Path& filter_at) {
    if (text_of(filter, "type") == "RequestHeaderModifier")
      report.no_effect(filter_at.at("type"),
                       "RequestHeaderModifier has no effect in a rule that redirects: it forwards nothing");
  });
}

/// A request ends with its own time, so that a longer one for each attempt never passes. 0s is no limit.
void check_timeouts(const Json& rule, const Path& at, Report& report) {
  const Json* timeouts = member(rule, "timeouts");
  if (!timeouts) return;
  const auto request = parse_duration(text_of(*timeouts, "request"));
  const auto backend = parse_duration(text_of(*timeouts, "backendRequest"));
  if (!request || !backend || request->count() == 0 || *backend <= *request) return;
  const Path timeouts_at = at.at("timeouts");
  report.no_effect(timeouts_at.at("backendRequest"), shown((*timeouts)["backendRequest"]) +
                                                         ": must not be longer than request, which is " +
                                                         shown((*timeouts)["request"]));
}

void check_rule(const Json& rule, const Path& at, Report& report) {
  check_count(rule, "matches", 64, at, report);
  check_count(rule, "backendRefs", 16, at, report);
  each(rule, "matches", at,
       [&](const Json& match, const Path& match_at) { check_match(match, match_at, report); });
  check_filters(rule, rule, at, report);
  check_timeouts(rule, at, report);
  if (has_filter(rule, "RequestRedirect")) check_redirecting_rule(rule, at, report);
  each(rule, "backendRefs", at, [&](const Json& backend, const Path& backend_at) {
    std::string_view kind = text_of(backend, "kind");
    bool service = text_of(backend, "group").empty() && (kind.empty() || kind == "Service");
    if (service && !backend.contains("port"))
      report.problem(backend_at.at("port"), "is required: the Service's port");
    check_filters(backend, rule, backend_at, report);
  });
}

}  // namespace

void check_api_gateway(const Json& spec, const Path& at, Report& report) {
  if (spec["listeners"].empty()) report.problem(at.at("listeners"), "must have at least one listener");
  check_count(spec, "listeners", 64, at, report);
  check_count(spec, "addresses", 16, at, report);
  Unique names("this listener's name", report);
  Unique places("a listener with this port, protocol and hostname", report);
  each(spec, "listeners", at, [&](const Json& listener, const Path& listener_at) {
    names.add(std::string(text_of(listener, "name")), listener_at.at("name"));
    places.add(json_text(listener["port"]) + " " + std::string(text_of(listener, "protocol")) + " " +
                   to_lower(text_of(listener, "hostname")),
               listener_at);
    const Json* allowed = member(listener, "allowedRoutes");
    const Json* namespaces = allowed ? member(*allowed, "namespaces") : nullptr;
    if (!namespaces) return;
    Path allowed_at = listener_at.at("allowedRoutes");
    Path namespaces_at = allowed_at.at("namespaces");
    if (text_of(*namespaces, "from") == "Selector" && !namespaces->contains("selector"))
      report.problem(namespaces_at.at("selector"), "is required with from: Selector");
  });
}

void check_http_route(const Json& spec, const Path& at, Report& report) {
  check_count(spec, "parentRefs", 32, at, report);
  check_count(spec, "hostnames", 16, at, report);
  check_count(spec, "rules", 16, at, report);
  Unique parents("this parent", report);
  each(spec, "parentRefs", at, [&](const Json& parent, const Path& parent_at) {
    std::string key;
    for (const char* name : {"group", "kind", "namespace", "name", "sectionName"})
      key += std::string(text_of(parent, name)) + "/";
    if (const Json* port = member(parent, "port")) key += port->dump();
    while (key.ends_with('/')) key.pop_back();
    parents.add(key, parent_at);
  });
  each(spec, "rules", at, [&](const Json& rule, const Path& rule_at) { check_rule(rule, rule_at, report); });
}

void check_reference_grant(const Json& spec, const Path& at, Report& report) {
  for (const char* name : {"from", "to"}) {
    if (spec[name].empty()) report.problem(at.at(name), "must have at least one entry");
    check_count(spec, name, 16, at, report);
  }
}

}  // namespace weft::api

#include "control/translation/gateway_api_routes.h"

#include <re2/re2.h>

#include <algorithm>
#include <tuple>

#include "base/strings.h"
#include "control/json.h"
#include "control/translation/messages.h"

namespace weft::control {
namespace {

/// A rule's match with the place that the Gateway API gives it; a smaller rank comes first.
struct Ranked {
  std::tuple<int, std::ptrdiff_t, int, std::ptrdiff_t, std::ptrdiff_t> rank;
  std::vector<route::Route> routes;
  std::size_t age = 0;  ///< place among all of its domain, oldest route first; decides between equal ranks
};

struct PathMatch {
  std::string_view type, value;
  bool is_prefix() const { return type == "PathPrefix"; }
  /// Of a prefix, without the slash at its end: "" for "/".
  std::string prefix() const {
    std::string text(value);
    while (text.ends_with('/')) text.pop_back();
    return text;
  }
};

PathMatch path_of(const api::Json& match) {
  const api::Json& path = json::map(match, "path");
  std::string_view type = json::text(path, "type"), value = json::text(path, "value");
  return {type.empty() ? "PathPrefix" : type, value.empty() ? "/" : value};
}

auto rank_of(const api::Json& match) {
  PathMatch path = path_of(match);
  int kind = path.type == "Exact" ? 0 : path.is_prefix() ? 1 : 2;
  std::size_t length = path.is_prefix() ? path.prefix().size() : path.value.size();
  auto count = [&](const char* name) { return -static_cast<std::ptrdiff_t>(json::list(match, name).size()); };
  return std::tuple(kind, -static_cast<std::ptrdiff_t>(length), match.contains("method") ? 0 : 1,
                    count("headers"), count("queryParams"));
}

api::Json text_match(const api::Json& from) {
  bool pattern = json::text(from, "type") == "RegularExpression";
  return {{pattern ? "regex" : "exact", std::string(json::text(from, "value"))}};
}

/// The match in VirtualService's words. A prefix of whole path elements has no word there; set_prefix adds
/// it.
api::Json to_match(const api::Json& from) {
  api::Json made = api::Json::object();
  PathMatch path = path_of(from);
  if (!path.is_prefix()) made["uri"] = {{path.type == "Exact" ? "exact" : "regex", std::string(path.value)}};
  if (from.contains("method")) made["method"] = {{"exact", std::string(json::text(from, "method"))}};
  for (const char* list : {"headers", "queryParams"})
    for (const auto& each : json::list(from, list))
      made[list][std::string(json::text(each, "name"))] = text_match(each);
  return made;
}

/// A route's header values are formats and the Gateway API's are plain texts; a host is plain in both.
std::string header_value(std::string_view name, std::string_view text) {
  if (name == ":authority" || to_lower(name) == "host") return std::string(text);
  std::string made;
  for (char c : text) made += c == '%' ? std::string("%%") : std::string(1, c);
  return made;
}

api::Json to_operations(const api::Json& filter) {
  api::Json made = api::Json::object();
  for (const char* list : {"set", "add"})
    for (const auto& header : json::list(filter, list))
      made[list][std::string(json::text(header, "name"))] =
          header_value(json::text(header, "name"), json::text(header, "value"));
  if (filter.contains("remove")) made["remove"] = json::list(filter, "remove");
  return made;
}

/// Of the filters of a rule or a backend.
api::Json to_headers(const api::Json& owner) {
  api::Json made = api::Json::object();
  for (const auto& filter : json::list(owner, "filters")) {
    std::string_view type = json::text(filter, "type");
    if (type == "RequestHeaderModifier")
      made["request"] = to_operations(json::map(filter, "requestHeaderModifier"));
    if (type == "ResponseHeaderModifier")
      made["response"] = to_operations(json::map(filter, "responseHeaderModifier"));
  }
  return made;
}

/// The action of the rule's filter of that type; an empty object when it has none.
const api::Json& filter_of(const api::Json& rule, std::string_view type, std::string_view member) {
  static const api::Json kNone = api::Json::object();
  for (const auto& filter : json::list(rule, "filters"))
    if (json::text(filter, "type") == type) return json::map(filter, member);
  return kNone;
}

bool has_filter(const api::Json& rule, std::string_view type) {
  return std::ranges::any_of(json::list(rule, "filters"),
                             [&](const api::Json& filter) { return json::text(filter, "type") == type; });
}

/// A backend that cannot be used keeps its share: its cluster's name is one that never exists, and a request
/// that meets it gets 500.
api::Json to_destinations(const api::Json& rule, const ApiRoute& route, const RouteScope& scope) {
  api::Json made = api::Json::array();
  for (const auto& reference : json::list(rule, "backendRefs")) {
    std::int64_t weight = json::number(reference, "weight", 1);
    if (weight <= 0) continue;
    ApiBackend backend = scope.inputs.gateway_api.backend(reference, route.object->ns());
    std::string host = backend.found.good ? backend.host : "unresolved." + backend.host;
    made.push_back(
        {{"destination", {{"host", host}, {"port", {{"number", backend.port}}}}}, {"weight", weight}});
    if (api::Json headers = to_headers(reference); !headers.empty())
      made.back()["headers"] = std::move(headers);
  }
  return made;
}

api::Json to_redirect(const api::Json& from, std::uint16_t listener_port) {
  api::Json made = {{"redirectCode", json::number(from, "statusCode", 302)}};
  std::string_view host = json::text(from, "hostname"), scheme = json::text(from, "scheme");
  if (!host.empty()) made["authority"] = std::string(host);
  if (!scheme.empty()) made["scheme"] = std::string(scheme);
  // A scheme brings its own port with it. Without one it is the same port as before, which a client's own
  // authority has already.
  std::int64_t port = json::number(from, "port");
  if (port == 0 && !scheme.empty()) port = scheme == "https" ? 443 : 80;
  if (port == 0 && !host.empty() && listener_port != 80) port = listener_port;
  if (port != 0) made["port"] = port;
  if (std::string_view full = json::text(json::map(from, "path"), "replaceFullPath"); !full.empty())
    made["uri"] = std::string(full);
  return made;
}

/// The rule in VirtualService's words, but for what changes paths.
api::Json to_http(const api::Json& rule, const ApiRoute& route, std::string name, const RouteScope& scope) {
  api::Json made = {{"name", std::move(name)}};
  if (api::Json headers = to_headers(rule); !headers.empty()) made["headers"] = std::move(headers);
  if (has_filter(rule, "RequestRedirect")) {
    made["redirect"] = to_redirect(filter_of(rule, "RequestRedirect", "requestRedirect"), scope.port);
    return made;
  }
  api::Json destinations = to_destinations(rule, route, scope);
  if (destinations.empty()) {
    made["directResponse"] = {{"status", 500}};
    return made;
  }
  made["route"] = std::move(destinations);
  const api::Json& timeouts = json::map(rule, "timeouts");
  if (timeouts.contains("request")) made["timeout"] = json::at(timeouts, "request");
  if (timeouts.contains("backendRequest"))
    made["retries"] = {{"perTryTimeout", json::at(timeouts, "backendRequest")}};
  std::string_view authority = json::text(filter_of(rule, "URLRewrite", "urlRewrite"), "hostname");
  if (!authority.empty()) made["rewrite"] = {{"authority", std::string(authority)}};
  return made;
}

void set_prefix(route::Route& into, const std::string& prefix) {
  if (prefix.empty()) {
    into.mutable_match()->set_prefix("/");
  } else {
    into.mutable_match()->set_path_separated_prefix(prefix);
  }
}

std::string literal(std::string_view text) {
  std::string made;
  for (char c : text) made += c == '\\' ? std::string("\\\\") : std::string(1, c);
  return made;
}

void set_pattern_rewrite(route::RouteAction& action, const std::string& pattern, std::string_view to) {
  action.mutable_regex_rewrite()->mutable_pattern()->set_regex(pattern);
  action.mutable_regex_rewrite()->set_substitution(literal(to));
}

/// `change` is the path of a URLRewrite.
void set_path_change(route::RouteAction& action, const api::Json& change, const PathMatch& path) {
  std::string_view type = json::text(change, "type");
  if (type == "ReplaceFullPath") set_pattern_rewrite(action, "/.*", json::text(change, "replaceFullPath"));
  if (type != "ReplacePrefixMatch" || !path.is_prefix()) return;
  std::string prefix = path.prefix();
  std::string to = PathMatch{"PathPrefix", json::text(change, "replacePrefixMatch")}.prefix();
  if (to.empty() && prefix.empty()) return;
  if (to.empty()) {
    // "/prefix/x" becomes "/x", and "/prefix" becomes "/".
    set_pattern_rewrite(action, "^" + RE2::QuoteMeta(prefix) + "/?", "/");
  } else {
    action.set_prefix_rewrite(prefix.empty() ? to + "/" : to);
  }
}

/// The same for a redirect, which knows no patterns: what takes a prefix away is two routes.
void add_path_redirect(std::vector<route::Route>& routes, const api::Json& change, const PathMatch& path) {
  if (json::text(change, "type") != "ReplacePrefixMatch" || !path.is_prefix()) return;
  std::string prefix = path.prefix();
  std::string to = PathMatch{"PathPrefix", json::text(change, "replacePrefixMatch")}.prefix();
  if (to.empty() && prefix.empty()) return;
  if (to.empty()) {
    route::Route only = routes.front();
    only.mutable_match()->set_path(prefix);
    only.mutable_redirect()->set_path_redirect("/");
    routes.front().mutable_match()->set_prefix(prefix + "/");
    routes.push_back(std::move(only));
  }
  routes.front().mutable_redirect()->set_prefix_rewrite(prefix.empty() || to.empty() ? to + "/" : to);
}

std::vector<route::Route> make_routes(const api::Json& match, const api::Json& rule, const api::Json& http,
                                      const ApiRoute& from, const RouteScope& scope) {
  const VirtualService owner{.object = from.object, .hosts = {}, .gateways = {}};
  route::VirtualHost into;
  std::vector<route::Route> routes = {add_http_route(into, to_match(match), http, owner, scope)};
  route::Route& made = routes.front();
  PathMatch path = path_of(match);
  if (path.is_prefix()) set_prefix(made, path.prefix());
  if (made.has_route()) {
    made.mutable_route()->set_cluster_not_found_response_code(route::RouteAction::INTERNAL_SERVER_ERROR);
    set_path_change(*made.mutable_route(), json::map(filter_of(rule, "URLRewrite", "urlRewrite"), "path"),
                    path);
  } else if (made.has_redirect()) {
    add_path_redirect(routes, json::map(filter_of(rule, "RequestRedirect", "requestRedirect"), "path"), path);
  }
  return routes;
}

std::vector<Ranked> ranked_routes(const ApiRoute& from, const RouteScope& scope) {
  static const api::Json kEverything = api::Json::array({api::Json::object()});
  std::vector<Ranked> made;
  std::size_t index = 0;
  for (const auto& rule : json::list(from.object->spec(), "rules")) {
    std::string name = std::string(from.object->ns()) + "." + std::string(from.object->name()) + "." +
                       std::to_string(index++);
    api::Json http = to_http(rule, from, std::move(name), scope);
    const api::Json& written = json::list(rule, "matches");
    for (const auto& match : written.empty() ? kEverything : written)
      made.push_back({rank_of(match), make_routes(match, rule, http, from, scope), 0});
  }
  return made;
}

}  // namespace

std::vector<route::Route> api_rule_routes(const ApiRoute& from, const api::Json& rule, const api::Json& match,
                                          const RouteScope& scope) {
  return make_routes(match, rule, to_http(rule, from, "rule", scope), from, scope);
}

std::map<std::string, std::vector<route::Route>> api_routes(const ApiGateway& gateway,
                                                            const RouteScope& scope) {
  std::map<std::string, std::vector<Ranked>> ranked;
  for (const ApiListener& listener : gateway.listeners) {
    if (listener.port != scope.port || !listener.serves()) continue;
    ranked[listener.host];
    for (const ApiAttachment& attached : listener.attached)
      for (const std::string& domain : attached.domains)
        for (Ranked& each : ranked_routes(*attached.route, scope)) {
          each.age = ranked[domain].size();
          ranked[domain].push_back(std::move(each));
        }
  }
  std::map<std::string, std::vector<route::Route>> made;
  for (auto& [domain, list] : ranked) {
    std::ranges::sort(list, {}, [](const Ranked& each) { return std::tie(each.rank, each.age); });
    auto& routes = made[domain];
    for (Ranked& each : list) std::ranges::move(each.routes, std::back_inserter(routes));
  }
  return made;
}

}  // namespace weft::control

#include "control/translation/gateway_api_routes.h"

#include <re2/re2.h>

#include <algorithm>
#include <tuple>

#include "base/strings.h"
#include "control/translation/messages.h"

namespace weft::control {
namespace gateway_api = api::gateway_api;
namespace istio = api::istio;
namespace {

using gateway_api::PathMatch;

/// A rule's match with the place that the Gateway API gives it; a smaller rank comes first.
struct Ranked {
  std::tuple<int, std::ptrdiff_t, int, std::ptrdiff_t, std::ptrdiff_t> rank;
  std::vector<route::Route> routes;
  std::size_t age = 0;  ///< place among all of its domain, oldest route first; decides between equal ranks
};

auto rank_of(const gateway_api::RouteMatch& match) {
  const PathMatch& path = match.path;
  int kind = path.type == PathMatch::Type::kExact ? 0 : path.is_prefix() ? 1 : 2;
  const std::size_t length = path.is_prefix() ? path.prefix().size() : path.value.size();
  const auto fewer = [](const auto& list) { return -static_cast<std::ptrdiff_t>(list.size()); };
  return std::tuple(kind, -static_cast<std::ptrdiff_t>(length), match.method ? 0 : 1, fewer(match.headers),
                    fewer(match.query_params));
}

/// Of two of one name the later holds.
std::vector<istio::NamedMatch> to_named(const std::vector<gateway_api::TextMatch>& from) {
  using enum istio::StringMatch::Form;
  std::vector<istio::NamedMatch> made;
  for (const gateway_api::TextMatch& each : from) {
    istio::StringMatch value{each.is_pattern ? kRegex : kExact, each.value};
    const auto there = std::ranges::find(made, each.name, &istio::NamedMatch::name);
    if (there == made.end())
      made.push_back({each.name, std::move(value)});
    else
      there->value = std::move(value);
  }
  return made;
}

/// The match in VirtualService's words. A prefix of whole path elements has no word there; set_prefix adds
/// it.
istio::RequestMatch to_match(const gateway_api::RouteMatch& from) {
  using enum istio::StringMatch::Form;
  istio::RequestMatch made;
  if (!from.path.is_prefix())
    made.uri =
        istio::StringMatch{from.path.type == PathMatch::Type::kExact ? kExact : kRegex, from.path.value};
  if (from.method) made.method = istio::StringMatch{kExact, *from.method};
  made.headers = to_named(from.headers);
  made.query_params = to_named(from.query_params);
  return made;
}

/// A route's header values are formats and the Gateway API's are plain texts; a host is plain in both.
std::string header_value(std::string_view name, std::string_view text) {
  if (name == ":authority" || to_lower(name) == "host") return std::string(text);
  std::string made;
  for (char c : text) made += c == '%' ? std::string("%%") : std::string(1, c);
  return made;
}

istio::HeaderOperations to_operations(const gateway_api::HeaderModifier& from) {
  istio::HeaderOperations made;
  for (const auto& [name, value] : from.set) made.set.emplace_back(name, header_value(name, value));
  for (const auto& [name, value] : from.add) made.add.emplace_back(name, header_value(name, value));
  made.remove = from.remove;
  return made;
}

istio::HeaderChanges to_headers(const gateway_api::HeaderFilters& from) {
  return {.request = to_operations(from.request), .response = to_operations(from.response)};
}

/// A backend that cannot be used keeps its share: its cluster's name is one that never exists, and a request
/// that meets it gets 500.
std::vector<istio::WeightedDestination> to_destinations(const gateway_api::RouteRule& rule,
                                                        const ApiRoute& route, const RouteScope& scope) {
  std::vector<istio::WeightedDestination> made;
  for (const gateway_api::BackendRef& reference : rule.backends) {
    if (reference.weight == 0) continue;
    const ApiBackend backend = scope.push.gateway_api.backend(reference, route.object->ns());
    istio::WeightedDestination& to = made.emplace_back();
    to.destination.host = backend.found.good ? backend.host : "unresolved." + backend.host;
    to.destination.port = backend.port;
    to.weight = reference.weight;
    to.headers = to_headers(reference.headers);
  }
  return made;
}

istio::Redirect to_redirect(const gateway_api::RequestRedirect& from, std::uint16_t listener_port) {
  istio::Redirect made{
      .uri = {}, .authority = from.host, .scheme = from.scheme, .port = from.port, .code = from.code};
  // A scheme brings its own port with it. Without one it is the same port as before, which a client's own
  // authority has already.
  if (made.port == 0 && !from.scheme.empty()) made.port = from.scheme == "https" ? 443 : 80;
  if (made.port == 0 && !from.host.empty() && listener_port != 80) made.port = listener_port;
  if (const auto* full = std::get_if<gateway_api::ReplaceFullPath>(&from.path)) made.uri = full->with;
  return made;
}

/// What a rule that cannot be served says to its requests.
istio::HttpRoute without_backend(std::string name) {
  istio::HttpRoute made;
  made.name = std::move(name);
  made.action = istio::DirectResponse{.status = 500, .body = {}};
  return made;
}

/// The rule in VirtualService's words, but for what changes paths.
istio::HttpRoute to_http(const gateway_api::RouteRule& rule, const ApiRoute& route, std::string name,
                         const RouteScope& scope) {
  istio::HttpRoute made = without_backend(std::move(name));
  made.headers = to_headers(rule.headers);
  if (rule.redirect) {
    made.action = to_redirect(*rule.redirect, scope.port);
    return made;
  }
  istio::Forward forward;
  forward.destinations = to_destinations(rule, route, scope);
  if (forward.destinations.empty()) return made;
  forward.timeout = rule.timeout;
  forward.retries.per_try_timeout = rule.backend_timeout;
  if (rule.rewrite) forward.rewrite.authority = rule.rewrite->host;
  made.action = std::move(forward);
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

/// What takes the place of a matched prefix, without the slash at its end.
std::string prefix_of(const gateway_api::ReplacePrefixMatch& change) {
  return PathMatch{PathMatch::Type::kPrefix, change.with}.prefix();
}

/// `change` is the path of a URLRewrite.
void set_path_change(route::RouteAction& action, const gateway_api::PathChange& change,
                     const PathMatch& path) {
  if (const auto* full = std::get_if<gateway_api::ReplaceFullPath>(&change))
    set_pattern_rewrite(action, "/.*", full->with);
  const auto* of_prefix = std::get_if<gateway_api::ReplacePrefixMatch>(&change);
  if (!of_prefix || !path.is_prefix()) return;
  std::string prefix = path.prefix(), to = prefix_of(*of_prefix);
  if (to.empty() && prefix.empty()) return;
  if (to.empty()) {
    // "/prefix/x" becomes "/x", and "/prefix" becomes "/".
    set_pattern_rewrite(action, "^" + RE2::QuoteMeta(prefix) + "/?", "/");
  } else {
    action.set_prefix_rewrite(prefix.empty() ? to + "/" : to);
  }
}

/// The same for a redirect, which knows no patterns: what takes a prefix away is two routes.
void add_path_redirect(std::vector<route::Route>& routes, const gateway_api::PathChange& change,
                       const PathMatch& path) {
  const auto* of_prefix = std::get_if<gateway_api::ReplacePrefixMatch>(&change);
  if (!of_prefix || !path.is_prefix()) return;
  std::string prefix = path.prefix(), to = prefix_of(*of_prefix);
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

std::vector<route::Route> make_routes(const gateway_api::RouteMatch& match,
                                      const gateway_api::RouteRule& rule, const istio::HttpRoute& http,
                                      const ApiRoute& from, const RouteScope& scope) {
  route::VirtualHost into;
  std::vector<route::Route> routes = {add_http_route(into, to_match(match), http, *from.object, scope)};
  route::Route& made = routes.front();
  if (match.path.is_prefix()) set_prefix(made, match.path.prefix());
  if (made.has_route()) {
    made.mutable_route()->set_cluster_not_found_response_code(route::RouteAction::INTERNAL_SERVER_ERROR);
    if (rule.rewrite) set_path_change(*made.mutable_route(), rule.rewrite->path, match.path);
  } else if (made.has_redirect() && rule.redirect) {
    add_path_redirect(routes, rule.redirect->path, match.path);
  }
  return routes;
}

std::vector<Ranked> ranked_routes(const ApiRoute& from, const RouteScope& scope) {
  static const std::vector<gateway_api::RouteMatch> kEverything(1);
  std::vector<Ranked> made;
  std::size_t index = 0;
  for (const gateway_api::RouteRule& rule : from.spec->rules) {
    std::string name =
        std::string(from.object->ns()) + "." + std::string(from.object->name()) + "." + std::to_string(index);
    auto dropped = from.dropped.find(index++);
    if (dropped != from.dropped.end() && !dropped->second.matches) continue;
    const istio::HttpRoute http =
        dropped == from.dropped.end() ? to_http(rule, from, name, scope) : without_backend(name);
    for (const auto& match : rule.matches.empty() ? kEverything : rule.matches)
      if (match.understood) made.push_back({rank_of(match), make_routes(match, rule, http, from, scope), 0});
  }
  return made;
}

}  // namespace

std::vector<route::Route> api_rule_routes(const ApiRoute& from, const gateway_api::RouteRule& rule,
                                          const gateway_api::RouteMatch& match, const RouteScope& scope) {
  return make_routes(match, rule, to_http(rule, from, "rule", scope), from, scope);
}

std::map<std::string, std::vector<route::Route>> api_routes(const ApiGateway& gateway,
                                                            const RouteScope& scope) {
  std::map<std::string, std::vector<Ranked>> ranked;
  for (const ApiListener& listener : gateway.listeners) {
    if (listener.spec->port != scope.port || !listener.serves()) continue;
    ranked[listener.spec->host];
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

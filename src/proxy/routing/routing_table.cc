#include "proxy/routing/routing_table.h"

#include <re2/re2.h>

#include <algorithm>
#include <span>
#include <unordered_map>

#include "proxy/routing/string_match.h"

namespace weft::proxy {
namespace {

constexpr std::uint64_t kMillion = 1'000'000;

bool satisfies(const RouteMatch& match, const http::RequestHead& request, std::string_view path,
               std::string_view query, Random& random) {
  if (!matches(match.path, path)) return false;
  for (const HeaderMatch& header : match.headers)
    if (!matches(header, request)) return false;
  for (const QueryMatch& parameter : match.query)
    if (!matches(parameter, query)) return false;
  return !match.runtime_fraction_per_million || random.below(kMillion) < *match.runtime_fraction_per_million;
}

Result<RoutingTable::CompiledRoute> compile_route(const Route& route) {
  RoutingTable::CompiledRoute compiled{&route, {}, {}, {}, {}};
  WEFT_TRY(compiled.request, HeaderMutation::compile(route.request_headers));
  WEFT_TRY(compiled.response, HeaderMutation::compile(route.response_headers));
  WEFT_TRY(compiled.filters, HttpFilters::compile(route.filters.all()));
  const auto* forward = std::get_if<ForwardAction>(&route.action);
  if (!forward) return compiled;
  for (const WeightedCluster& cluster : forward->clusters) {
    RoutingTable::CompiledCluster made{&cluster, {}, {}};
    WEFT_TRY(made.request, HeaderMutation::compile(cluster.request_headers));
    WEFT_TRY(made.response, HeaderMutation::compile(cluster.response_headers));
    compiled.clusters.push_back(std::move(made));
  }
  return compiled;
}

Result<std::shared_ptr<const RoutingTable::CompiledHost>> compile_host(
    std::shared_ptr<const VirtualHost> host) {
  auto compiled = std::make_shared<RoutingTable::CompiledHost>();
  WEFT_TRY(compiled->request, HeaderMutation::compile(host->request_headers));
  WEFT_TRY(compiled->response, HeaderMutation::compile(host->response_headers));
  compiled->routes.reserve(host->routes.size());
  for (const Route& route : host->routes) {
    auto made = compile_route(route);
    if (!made) return fail(std::move(made).error().with_context("route '" + std::string(route.name) + "'"));
    compiled->routes.push_back(std::move(*made));
  }
  compiled->paths.build(host->routes);
  compiled->config = std::move(host);
  return compiled;
}

/// What virtual hosts of the version before were compiled to. Most stand where they stood, and one that has
/// changed has its name; only when others are in their places is it worth to look everywhere.
class CompiledBefore {
 public:
  using HostPtr = std::shared_ptr<const RoutingTable::CompiledHost>;
  explicit CompiledBefore(std::span<const HostPtr> hosts) : hosts_(hosts) {}

  HostPtr find(std::size_t index, const VirtualHost& host) {
    if (index < hosts_.size()) {
      const HostPtr& there = hosts_[index];
      if (there->config.get() == &host) return there;
      if (there->config->name == host.name) return nullptr;
    }
    if (by_config_.empty())
      for (const HostPtr& each : hosts_) by_config_.emplace(each->config.get(), each);
    const auto found = by_config_.find(&host);
    return found == by_config_.end() ? nullptr : found->second;
  }

 private:
  std::span<const HostPtr> hosts_;
  std::unordered_map<const VirtualHost*, HostPtr> by_config_;
};

/// "OPTIONS *" asks about the server as a whole (RFC 9110 §9.3.7): the host of its root responds.
std::string_view routed_target(std::string_view target) { return target == "*" ? "/" : target; }

/// What a URL of the scheme leaves out (RFC 3986 §6.2.3).
std::uint16_t default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : scheme == "http" ? 80 : 0;
}

/// How much of the path the route's match covers, for rewriting it.
std::size_t matched_length(const PathMatch& match, std::string_view path) {
  return match.kind == PathMatch::Kind::kRegex ? path.size() : std::min(match.text.size(), path.size());
}

/// A target that is a path begins with a slash (RFC 9112 §3.2.1), whatever a rule leaves of it.
std::string as_target(std::string path) {
  if (!path.starts_with('/')) path.insert(0, 1, '/');
  return path;
}

}  // namespace

Result<std::shared_ptr<const RoutingTable>> RoutingTable::compile(std::shared_ptr<const RouteTable> source,
                                                                  const RoutingTable* previous) {
  auto table = std::make_shared<RoutingTable>();
  table->source_ = std::move(source);
  WEFT_TRY(table->request, HeaderMutation::compile(table->source_->request_headers));
  WEFT_TRY(table->response, HeaderMutation::compile(table->source_->response_headers));
  WEFT_CHECK(table->compile_hosts(previous));
  table->index_domains(previous);
  return std::shared_ptr<const RoutingTable>(std::move(table));
}

Result<void> RoutingTable::compile_hosts(const RoutingTable* previous) {
  CompiledBefore before(previous ? std::span(previous->hosts_) : std::span<const HostPtr>());
  hosts_.reserve(source_->hosts.size());
  for (const VirtualHosts::Ptr& host : source_->hosts.shared()) {
    HostPtr known = before.find(hosts_.size(), *host);
    if (!known) {
      auto compiled = compile_host(host);
      if (!compiled)
        return fail(std::move(compiled).error().with_context(
            "route table '" + source_->name + "', virtual host '" + std::string(host->name) + "'"));
      known = std::move(*compiled);
    }
    hosts_.push_back(std::move(known));
  }
  return {};
}

/// Whether the same domains stand in the same places.
bool RoutingTable::has_domains_of(const RoutingTable& other) const {
  return std::ranges::equal(hosts_, other.hosts_, [](const HostPtr& a, const HostPtr& b) {
    return a == b || a->config->domains == b->config->domains;
  });
}

void RoutingTable::index_domains(const RoutingTable* previous) {
  domains_ = previous && has_domains_of(*previous) ? previous->domains_
                                                   : std::make_shared<const DomainIndex>(source_->hosts);
}

RoutingTable::Found RoutingTable::find(const http::RequestHead& request_head, Random& random) const {
  Found found;
  const auto host = domains_->find(request_head.authority, source_->ignore_port_in_host, source_->hosts);
  if (!host) return found;
  found.host = hosts_[*host].get();
  const std::string_view target = routed_target(request_head.path);
  const auto question = target.find('?');
  const std::string_view path = target.substr(0, question);
  const std::string_view query =
      question == std::string_view::npos ? std::string_view{} : target.substr(question + 1);
  found.host->paths.each_candidate(path, [&](std::uint32_t index) {
    const CompiledRoute& route = found.host->routes[index];
    if (!satisfies(route.config->match, request_head, path, query, random)) return false;
    found.route = &route;
    return true;
  });
  return found;
}

const RoutingTable::CompiledCluster* draw_cluster(const RoutingTable::CompiledRoute& route, Random& random) {
  if (route.clusters.size() == 1) return &route.clusters.front();
  std::uint64_t total = 0;
  for (const auto& cluster : route.clusters) total += cluster.config->weight;
  std::uint64_t drawn = random.below(total);
  for (const auto& cluster : route.clusters) {
    if (drawn < cluster.config->weight) return &cluster;
    drawn -= cluster.config->weight;
  }
  return nullptr;
}

std::string rewritten_path(const Route& route, const ForwardAction& action, std::string_view path) {
  if (path == "*" || path.empty()) return std::string(path);
  const auto question = path.find('?');
  const std::string_view before = path.substr(0, question);
  const std::string_view query =
      question == std::string_view::npos ? std::string_view{} : path.substr(question);
  if (!action.prefix_rewrite.empty()) {
    std::string out(action.prefix_rewrite);
    out.append(before.substr(matched_length(route.match.path, before))).append(query);
    return as_target(std::move(out));
  }
  if (action.regex_rewrite) {
    std::string out(before);
    RE2::GlobalReplace(&out, *action.regex_rewrite, std::string_view(action.regex_substitution));
    return as_target(out.append(query));
  }
  return std::string(path);
}

std::string redirect_location(const Route& route, const RedirectAction& action,
                              const http::RequestHead& request) {
  const std::string_view target = routed_target(request.path);
  const auto question = target.find('?');
  const std::string_view path = target.substr(0, question);
  const std::string_view query =
      question == std::string_view::npos ? std::string_view{} : target.substr(question);
  const std::string& scheme = action.scheme.empty() ? request.scheme : action.scheme;
  std::string location = scheme + "://";
  const std::string_view host =
      action.host.empty() ? std::string_view(request.authority) : std::string_view(action.host);
  if (action.port) {
    location.append(without_authority_port(host));
    if (*action.port != default_port(scheme)) location.append(":").append(std::to_string(*action.port));
  } else if (action.host.empty() && !action.scheme.empty() && action.scheme != request.scheme) {
    // A default port of the old scheme means nothing in the new one.
    const std::string_view old_port = request.scheme == "http" ? ":80" : ":443";
    location.append(host.ends_with(old_port) ? without_authority_port(host) : host);
  } else {
    location.append(host);
  }
  if (!action.path.empty()) {
    location += as_target(action.path);
    if (action.path.find('?') != std::string::npos) return location;
  } else if (!action.prefix_rewrite.empty()) {
    location += as_target(action.prefix_rewrite);
    location.append(path.substr(matched_length(route.match.path, path)));
  } else {
    location.append(path);
  }
  if (!action.strip_query) location.append(query);
  return location;
}

}  // namespace weft::proxy

#include "xds/proto/route.pb.h"

#include "base/strings.h"
#include "xds/convert.h"
#include "xds/resources.h"

namespace weft::xds {
namespace {

namespace core = envoy::config::core::v3;
namespace route = envoy::config::route::v3;

template <class Adds, class Removes>
Result<proxy::HeaderChanges> to_changes(const Adds& adds, const Removes& removes, const Path& path) {
  using Action = proxy::HeaderChange::Action;
  proxy::HeaderChanges changes;
  for (int i = 0; i < adds.size(); ++i) {
    const core::HeaderValueOption& option = adds.Get(i);
    proxy::HeaderChange change;
    change.name = option.header().key();
    if (change.name.empty()) return invalid(path[i] / "header.key", "a header has a name");
    change.value = option.header().value();
    change.keep_empty = option.keep_empty_value();
    switch (option.append_action()) {
      case core::HeaderValueOption::ADD_IF_ABSENT: change.action = Action::kAddIfAbsent; break;
      case core::HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD: change.action = Action::kOverwriteOrAdd; break;
      case core::HeaderValueOption::OVERWRITE_IF_EXISTS: change.action = Action::kOverwriteIfExists; break;
      default: change.action = Action::kAppend; break;
    }
    if (option.has_append() && !option.append().value()) change.action = Action::kOverwriteOrAdd;
    changes.add.push_back(std::move(change));
  }
  changes.remove.assign(removes.begin(), removes.end());
  return changes;
}

Result<proxy::HeaderMatch> to_header_match(const route::HeaderMatcher& from, const Path& path) {
  using Kind = proxy::StringMatch::Kind;
  proxy::HeaderMatch match;
  match.name = to_lower(from.name());
  if (match.name.empty()) return invalid(path / "name", "a header has a name");
  match.invert = from.invert_match();
  match.treat_missing_as_empty = from.treat_missing_header_as_empty();
  switch (from.header_match_specifier_case()) {
    case route::HeaderMatcher::kStringMatch: {
      WEFT_TRY(match.match, to_string_match(from.string_match(), path / "string_match"));
      break;
    }
    case route::HeaderMatcher::kExactMatch: match.match = {.kind = Kind::kExact, .text = from.exact_match(), .regex = {}}; break;
    case route::HeaderMatcher::kPrefixMatch: match.match = {.kind = Kind::kPrefix, .text = from.prefix_match(), .regex = {}}; break;
    case route::HeaderMatcher::kSuffixMatch: match.match = {.kind = Kind::kSuffix, .text = from.suffix_match(), .regex = {}}; break;
    case route::HeaderMatcher::kContainsMatch: match.match = {.kind = Kind::kContains, .text = from.contains_match(), .regex = {}}; break;
    case route::HeaderMatcher::kSafeRegexMatch: {
      match.match.kind = Kind::kRegex;
      WEFT_TRY(match.match.regex, to_regex(from.safe_regex_match().regex(), path / "safe_regex_match.regex"));
      break;
    }
    case route::HeaderMatcher::kPresentMatch:
      match.match.kind = Kind::kPresent;
      if (!from.present_match()) match.invert = !match.invert;
      break;
    default: match.match.kind = Kind::kPresent; break;
  }
  return match;
}

Result<proxy::RouteMatch> to_match(const route::RouteMatch& from, const Path& path) {
  using Kind = proxy::PathMatch::Kind;
  proxy::RouteMatch match;
  switch (from.path_specifier_case()) {
    case route::RouteMatch::kPrefix: match.path.kind = Kind::kPrefix; match.path.text = from.prefix(); break;
    case route::RouteMatch::kPath: match.path.kind = Kind::kExact; match.path.text = from.path(); break;
    case route::RouteMatch::kPathSeparatedPrefix: match.path.kind = Kind::kSeparatedPrefix; match.path.text = from.path_separated_prefix(); break;
    case route::RouteMatch::kSafeRegex: {
      match.path.kind = Kind::kRegex;
      match.path.text.clear();
      WEFT_TRY(match.path.regex, to_regex(from.safe_regex().regex(), path / "safe_regex.regex"));
      break;
    }
    default: return invalid(path, "a route matches by prefix, path, path_separated_prefix or safe_regex");
  }
  match.path.ignore_case = from.has_case_sensitive() && !from.case_sensitive().value();
  for (int i = 0; i < from.headers_size(); ++i) {
    WEFT_TRY(auto header, to_header_match(from.headers(i), (path / "headers")[i]));
    match.headers.push_back(std::move(header));
  }
  for (int i = 0; i < from.query_parameters_size(); ++i) {
    const auto& parameter = from.query_parameters(i);
    proxy::QueryMatch query{parameter.name(), {.kind = proxy::StringMatch::Kind::kPresent, .text = {}, .regex = {}}};
    if (parameter.has_string_match()) {
      WEFT_TRY(query.match, to_string_match(parameter.string_match(), (path / "query_parameters")[i] / "string_match"));
    }
    match.query.push_back(std::move(query));
  }
  if (from.has_runtime_fraction()) {
    const auto& fraction = from.runtime_fraction().default_value();
    const std::uint32_t scale = fraction.denominator() == envoy::type::v3::FractionalPercent::MILLION      ? 1
                                : fraction.denominator() == envoy::type::v3::FractionalPercent::TEN_THOUSAND ? 100
                                                                                                             : 10'000;
    match.runtime_fraction_per_million = fraction.numerator() * scale;
  }
  return match;
}

Result<proxy::RetryPolicy> to_retry(const route::RetryPolicy& from, const Path& path) {
  proxy::RetryPolicy policy;
  for (const std::string_view untrimmed : split(from.retry_on(), ',')) {
    const std::string_view condition = trim(untrimmed);
    if (condition == "connect-failure") policy.connect_failure = true;
    else if (condition == "refused-stream") policy.refused_stream = true;
    else if (condition == "reset") policy.reset = true;
    else if (condition == "reset-before-request") policy.reset_before_request = true;
    else if (condition == "5xx") policy.five_xx = true;
    else if (condition == "gateway-error") policy.gateway_error = true;
    else if (condition == "retriable-4xx") policy.retriable_4xx = true;
    else if (condition == "retriable-status-codes") policy.retriable_status_codes = true;
    else {
      // gRPC statuses are in trailers, which only HTTP/2 brings; they are known and cannot occur yet.
      const bool grpc = condition == "unavailable" || condition == "cancelled" || condition == "deadline-exceeded" ||
                        condition == "internal" || condition == "resource-exhausted" || condition.empty();
      if (!grpc) return unsupported(path / "retry_on", "'" + std::string(condition) + "'");
    }
  }
  policy.status_codes.assign(from.retriable_status_codes().begin(), from.retriable_status_codes().end());
  if (from.has_num_retries()) policy.retries = from.num_retries().value();
  if (from.has_per_try_timeout()) policy.per_try_timeout = to_milliseconds(from.per_try_timeout());
  if (from.retry_back_off().has_base_interval()) {
    policy.base_interval = to_milliseconds(from.retry_back_off().base_interval());
    policy.max_interval = policy.base_interval * 10;
  }
  if (from.retry_back_off().has_max_interval()) policy.max_interval = to_milliseconds(from.retry_back_off().max_interval());
  policy.avoid_previous_hosts = from.retry_host_predicate_size() > 0;
  return policy;
}

Result<void> read_clusters(const route::RouteAction& from, proxy::ForwardAction& into, const Path& path) {
  switch (from.cluster_specifier_case()) {
    case route::RouteAction::kCluster:
      into.clusters.push_back({.cluster = from.cluster(), .weight = 1, .request_headers = {}, .response_headers = {}});
      break;
    case route::RouteAction::kClusterHeader: into.cluster_header = to_lower(from.cluster_header()); break;
    case route::RouteAction::kWeightedClusters:
      for (int i = 0; i < from.weighted_clusters().clusters_size(); ++i) {
        const auto& one = from.weighted_clusters().clusters(i);
        const Path at = (path / "weighted_clusters.clusters")[i];
        proxy::WeightedCluster cluster{.cluster = one.name(), .weight = one.weight().value(), .request_headers = {}, .response_headers = {}};
        WEFT_TRY(cluster.request_headers, to_changes(one.request_headers_to_add(), one.request_headers_to_remove(), at / "request_headers_to_add"));
        WEFT_TRY(cluster.response_headers, to_changes(one.response_headers_to_add(), one.response_headers_to_remove(), at / "response_headers_to_add"));
        into.clusters.push_back(std::move(cluster));
      }
      break;
    default: return invalid(path, "a route names a cluster, weighted_clusters or a cluster_header");
  }
  for (const auto& cluster : into.clusters) into.total_weight += cluster.weight;
  if (into.cluster_header.empty() && into.total_weight == 0) return invalid(path / "weighted_clusters", "the weights are all 0");
  return {};
}

Result<proxy::ForwardAction> to_forward(const route::RouteAction& from, const Path& path) {
  proxy::ForwardAction action;
  WEFT_CHECK(read_clusters(from, action, path));
  switch (from.cluster_not_found_response_code()) {
    case route::RouteAction::NOT_FOUND: action.cluster_not_found_status = 404; break;
    case route::RouteAction::INTERNAL_SERVER_ERROR: action.cluster_not_found_status = 500; break;
    default: action.cluster_not_found_status = 503; break;
  }
  if (from.has_timeout()) action.timeout = to_milliseconds(from.timeout());
  if (from.has_idle_timeout()) action.idle_timeout = to_milliseconds(from.idle_timeout());
  if (from.has_retry_policy()) {
    WEFT_TRY(action.retry, to_retry(from.retry_policy(), path / "retry_policy"));
  }
  action.prefix_rewrite = from.prefix_rewrite();
  if (from.has_regex_rewrite()) {
    WEFT_TRY(action.regex_rewrite, to_regex(from.regex_rewrite().pattern().regex(), path / "regex_rewrite.pattern.regex"));
    action.regex_substitution = from.regex_rewrite().substitution();
  }
  action.host_rewrite = from.host_rewrite_literal();
  action.append_x_forwarded_host = from.append_x_forwarded_host();
  for (const auto& upgrade : from.upgrade_configs())
    if (!upgrade.has_enabled() || upgrade.enabled().value()) action.upgrades.push_back(to_lower(upgrade.upgrade_type()));
  return action;
}

Result<proxy::RedirectAction> to_redirect(const route::RedirectAction& from, const Path& path) {
  proxy::RedirectAction action;
  action.host = from.host_redirect();
  action.path = from.path_redirect();
  action.prefix_rewrite = from.prefix_rewrite();
  action.scheme = from.https_redirect() ? "https" : from.scheme_redirect();
  if (from.port_redirect() > 65535) return invalid(path / "port_redirect", "a port is at most 65535");
  if (from.port_redirect()) action.port = static_cast<std::uint16_t>(from.port_redirect());
  switch (from.response_code()) {
    case route::RedirectAction::FOUND: action.status = 302; break;
    case route::RedirectAction::SEE_OTHER: action.status = 303; break;
    case route::RedirectAction::TEMPORARY_REDIRECT: action.status = 307; break;
    case route::RedirectAction::PERMANENT_REDIRECT: action.status = 308; break;
    default: action.status = 301; break;
  }
  action.strip_query = from.strip_query();
  return action;
}

Result<proxy::DirectAction> to_direct(const route::DirectResponseAction& from, const Path& path) {
  proxy::DirectAction action;
  if (from.status() < 200 || from.status() > 599) return invalid(path / "status", "a status is 200 to 599, not " + std::to_string(from.status()));
  action.status = static_cast<int>(from.status());
  action.body = from.body().inline_string().empty() ? from.body().inline_bytes() : from.body().inline_string();
  return action;
}

Result<proxy::Route> to_route(const route::Route& from, const Path& path) {
  proxy::Route made;
  made.name = from.name();
  WEFT_TRY(made.match, to_match(from.match(), path / "match"));
  switch (from.action_case()) {
    case route::Route::kRoute: {
      WEFT_TRY(made.action, to_forward(from.route(), path / "route"));
      break;
    }
    case route::Route::kRedirect: {
      WEFT_TRY(made.action, to_redirect(from.redirect(), path / "redirect"));
      break;
    }
    case route::Route::kDirectResponse: {
      WEFT_TRY(made.action, to_direct(from.direct_response(), path / "direct_response"));
      break;
    }
    default: return invalid(path, "a route has one of route, redirect, direct_response");
  }
  WEFT_TRY(made.request_headers, to_changes(from.request_headers_to_add(), from.request_headers_to_remove(), path / "request_headers_to_add"));
  WEFT_TRY(made.response_headers, to_changes(from.response_headers_to_add(), from.response_headers_to_remove(), path / "response_headers_to_add"));
  made.decorator_operation = from.decorator().operation();
  return made;
}

Result<proxy::VirtualHost> to_host(const route::VirtualHost& from, const Path& path) {
  proxy::VirtualHost host;
  host.name = from.name();
  host.domains.assign(from.domains().begin(), from.domains().end());
  if (host.domains.empty()) return invalid(path / "domains", "a virtual host has at least one domain");
  for (int i = 0; i < from.routes_size(); ++i) {
    WEFT_TRY(auto made, to_route(from.routes(i), (path / "routes")[i]));
    auto* forward = std::get_if<proxy::ForwardAction>(&made.action);
    if (forward && !forward->retry && from.has_retry_policy()) {
      WEFT_TRY(forward->retry, to_retry(from.retry_policy(), path / "retry_policy"));
    }
    host.routes.push_back(std::move(made));
  }
  WEFT_TRY(host.request_headers, to_changes(from.request_headers_to_add(), from.request_headers_to_remove(), path / "request_headers_to_add"));
  WEFT_TRY(host.response_headers, to_changes(from.response_headers_to_add(), from.response_headers_to_remove(), path / "response_headers_to_add"));
  host.include_attempt_count = from.include_request_attempt_count();
  host.require_tls = from.require_tls() != route::VirtualHost::NONE;
  return host;
}

}  // namespace

Result<std::shared_ptr<const proxy::RouteTable>> to_route_table(const route::RouteConfiguration& from, std::string where) {
  const Path path(std::move(where));
  auto table = std::make_shared<proxy::RouteTable>();
  table->name = from.name();
  for (int i = 0; i < from.virtual_hosts_size(); ++i) {
    WEFT_TRY(auto host, to_host(from.virtual_hosts(i), (path / "virtual_hosts")[i]));
    table->hosts.push_back(std::move(host));
  }
  WEFT_TRY(table->request_headers, to_changes(from.request_headers_to_add(), from.request_headers_to_remove(), path / "request_headers_to_add"));
  WEFT_TRY(table->response_headers, to_changes(from.response_headers_to_add(), from.response_headers_to_remove(), path / "response_headers_to_add"));
  table->ignore_port_in_host = from.ignore_port_in_host_matching();
  return std::shared_ptr<const proxy::RouteTable>(std::move(table));
}

}  // namespace weft::xds

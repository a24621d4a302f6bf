#include <re2/re2.h>

#include <algorithm>
#include <limits>

#include "base/strings.h"
#include "xds/convert.h"
#include "xds/filters/http_filters.h"

namespace weft::xds {
namespace {

/// The two pairs of header lists that route tables, virtual hosts, routes and weighted clusters all have.
template <class From, class Into>
Result<void> read_header_changes(const From& from, Into& into, const Path& path) {
  WEFT_TRY(into.request_headers, to_header_changes(from.request_headers_to_add(),
                                                   from.request_headers_to_remove(), "request", path));
  WEFT_TRY(into.response_headers, to_header_changes(from.response_headers_to_add(),
                                                    from.response_headers_to_remove(), "response", path));
  return {};
}

/// What is asked of the response's "grpc-status", and its number.
constexpr std::pair<std::string_view, unsigned> kGrpcConditions[] = {{"cancelled", 1},
                                                                     {"deadline-exceeded", 4},
                                                                     {"resource-exhausted", 8},
                                                                     {"internal", 13},
                                                                     {"unavailable", 14}};

constexpr std::pair<std::string_view, bool proxy::RetryPolicy::*> kConditions[] = {
    {"connect-failure", &proxy::RetryPolicy::connect_failure},
    {"reset", &proxy::RetryPolicy::reset},
    {"reset-before-request", &proxy::RetryPolicy::reset_before_request},
    {"refused-stream", &proxy::RetryPolicy::refused_stream},
    {"5xx", &proxy::RetryPolicy::five_xx},
    {"gateway-error", &proxy::RetryPolicy::gateway_error},
    {"retriable-4xx", &proxy::RetryPolicy::retriable_4xx},
    {"retriable-status-codes", &proxy::RetryPolicy::retriable_status_codes},
    {"retriable-headers", &proxy::RetryPolicy::retriable_headers},
    {"envoy-ratelimited", &proxy::RetryPolicy::rate_limited}};

/// What no upstream here ever does: only HTTP/3 fails after it has connected. So this is as good as done.
constexpr std::string_view kNeverMet = "http3-post-connect-failure";

bool read_retry_condition(std::string_view condition, proxy::RetryPolicy& into) {
  for (const auto& [name, field] : kConditions) {
    if (name != condition) continue;
    into.*field = true;
    return true;
  }
  for (const auto& [name, status] : kGrpcConditions) {
    if (name != condition) continue;
    into.grpc_statuses |= 1u << status;
    return true;
  }
  return condition.empty() || condition == kNeverMet;
}

Result<void> read_retry_conditions(std::string_view text, proxy::RetryPolicy& into, const Path& path,
                                   Conversion& conversion) {
  for (std::string_view condition : split(text, ',')) {
    condition = trim(condition);
    if (read_retry_condition(condition, into)) continue;
    WEFT_CHECK(
        conversion.unsupported(path, "retry condition '" + std::string(condition) + "' is not supported"));
  }
  return {};
}

Result<void> read_back_off(const route::RetryPolicy::RetryBackOff& from, proxy::RetryPolicy& into,
                           const Path& path) {
  WEFT_TRY(into.base_interval, to_milliseconds(from.base_interval(), path.field("base_interval")));
  if (into.base_interval.count() == 0)
    return fail(path.field("base_interval").invalid("has to be longer than 0"));
  into.max_interval = into.base_interval * 10;
  if (from.has_max_interval()) {
    WEFT_TRY(into.max_interval, to_milliseconds(from.max_interval(), path.field("max_interval")));
  }
  if (into.max_interval < into.base_interval)
    return fail(path.field("max_interval").invalid("has to be at least base_interval"));
  return {};
}

Result<proxy::RetryPolicy> to_retry_policy(const route::RetryPolicy& from, const Path& path,
                                           Conversion& conversion) {
  proxy::RetryPolicy made;
  WEFT_CHECK(read_retry_conditions(from.retry_on(), made, path.field("retry_on"), conversion));
  if (from.has_num_retries()) made.retries = from.num_retries().value();
  if (from.has_per_try_timeout()) {
    WEFT_TRY(made.per_try_timeout, to_milliseconds(from.per_try_timeout(), path.field("per_try_timeout")));
  }
  Path headers = path.field("retriable_headers");
  for (int i = 0; i < from.retriable_headers_size(); ++i) {
    WEFT_TRY(auto match, to_header_match(from.retriable_headers(i), headers.item(i)));
    made.response_headers.push_back(std::move(match));
  }
  for (auto code : from.retriable_status_codes()) made.status_codes.push_back(static_cast<int>(code));
  Path predicates = path.field("retry_host_predicate");
  for (int i = 0; i < from.retry_host_predicate_size(); ++i) {
    const auto& predicate = from.retry_host_predicate(i);
    // Endpoints that were tried are always passed over while there is another.
    if (!holds<envoy::extensions::retry::host::previous_hosts::v3::PreviousHostsPredicate>(
            predicate.typed_config()))
      WEFT_CHECK(conversion.unsupported(predicates.item(i),
                                        "retry host predicate '" + predicate.name() + "' is not supported"));
  }
  if (from.has_retry_back_off())
    WEFT_CHECK(read_back_off(from.retry_back_off(), made, path.field("retry_back_off")));
  return made;
}

Result<void> read_weighted(const route::WeightedCluster& from, proxy::ForwardAction& into, const Path& path) {
  Path list = path.field("clusters");
  std::uint64_t total = 0;
  into.clusters.reserve(static_cast<std::size_t>(from.clusters_size()));
  for (int i = 0; i < from.clusters_size(); ++i) {
    Path here = list.item(i);
    proxy::WeightedCluster made;
    made.cluster = from.clusters(i).name();
    if (made.cluster.empty()) return fail(here.field("name").invalid("is missing"));
    if (!from.clusters(i).has_weight()) return fail(here.field("weight").invalid("is missing"));
    made.weight = from.clusters(i).weight().value();
    WEFT_CHECK(read_header_changes(from.clusters(i), made, here));
    WEFT_CHECK(expect_authority(from.clusters(i).host_rewrite_literal(), here.field("host_rewrite_literal")));
    made.host_rewrite = from.clusters(i).host_rewrite_literal();
    total += made.weight;
    into.clusters.push_back(std::move(made));
  }
  if (total == 0) return fail(list.invalid("the weights have to sum up to more than 0"));
  if (total > std::numeric_limits<std::uint32_t>::max())
    return fail(list.invalid("the weights sum up to more than 2^32-1"));
  if (from.has_total_weight() && from.total_weight().value() != total)
    return fail(path.field("total_weight")
                    .invalid("is " + std::to_string(from.total_weight().value()) +
                             ", and the weights sum up to " + std::to_string(total)));
  return {};
}

Result<void> read_destination(const route::RouteAction& from, proxy::ForwardAction& into, const Path& path) {
  switch (from.cluster_specifier_case()) {
    case route::RouteAction::kCluster: {
      if (from.cluster().empty()) return fail(path.field("cluster").invalid("is empty"));
      proxy::WeightedCluster only;
      only.cluster = from.cluster();
      only.weight = 1;
      into.clusters.push_back(std::move(only));
      return {};
    }
    case route::RouteAction::kClusterHeader:
      if (!is_token(from.cluster_header()))
        return fail(path.field("cluster_header")
                        .unsupported("has to be a header's name, not '" + from.cluster_header() + "'"));
      into.cluster_header = to_lower(from.cluster_header());
      return {};
    case route::RouteAction::kWeightedClusters:
      return read_weighted(from.weighted_clusters(), into, path.field("weighted_clusters"));
    default: return fail(path.invalid("has to have one of cluster, weighted_clusters, cluster_header"));
  }
}

Result<std::string> to_substitution(const matcher::RegexMatchAndSubstitute& from, const re2::RE2& pattern,
                                    const Path& path) {
  const Path here = path.field("substitution");
  WEFT_CHECK(expect_target(from.substitution(), here));
  std::string error;
  if (!pattern.CheckRewriteString(from.substitution(), &error)) return fail(here.invalid(error));
  return from.substitution();
}

Result<void> read_rewrites(const route::RouteAction& from, proxy::ForwardAction& into, const Path& path) {
  WEFT_CHECK(expect_target(from.prefix_rewrite(), path.field("prefix_rewrite")));
  WEFT_CHECK(expect_authority(from.host_rewrite_literal(), path.field("host_rewrite_literal")));
  into.prefix_rewrite = from.prefix_rewrite();
  if (from.has_regex_rewrite()) {
    if (!into.prefix_rewrite.empty())
      return fail(path.field("regex_rewrite").invalid("excludes prefix_rewrite"));
    Path here = path.field("regex_rewrite");
    WEFT_TRY(into.regex_rewrite, to_regex(from.regex_rewrite().pattern(), here.field("pattern")));
    WEFT_TRY(into.regex_substitution, to_substitution(from.regex_rewrite(), *into.regex_rewrite, here));
  }
  into.host_rewrite = from.host_rewrite_literal();
  into.append_x_forwarded_host = from.append_x_forwarded_host();
  return {};
}

/// Limits of whole exchanges. Where one is said, even zero, `timeout` no longer holds, as in Envoy.
Result<void> read_max_stream_duration(const route::RouteAction::MaxStreamDuration& from,
                                      proxy::ForwardAction& into, const Path& path) {
  into.timeout = proxy::Milliseconds(0);
  WEFT_TRY(into.max_duration, to_milliseconds(from.max_stream_duration(), path.field("max_stream_duration")));
  if (!from.has_grpc_timeout_header_max()) return {};
  proxy::GrpcTimeout made;
  WEFT_TRY(made.max, to_milliseconds(from.grpc_timeout_header_max(), path.field("grpc_timeout_header_max")));
  WEFT_TRY(made.offset,
           to_milliseconds(from.grpc_timeout_header_offset(), path.field("grpc_timeout_header_offset")));
  into.grpc_duration = made;
  return {};
}

/// The older way to say what is to become of a call's own time.
Result<void> read_max_grpc_timeout(const route::RouteAction& from, proxy::ForwardAction& into,
                                   const Path& path) {
  proxy::GrpcTimeout made;
  WEFT_TRY(made.max, to_milliseconds(from.max_grpc_timeout(), path.field("max_grpc_timeout")));
  WEFT_TRY(made.offset, to_milliseconds(from.grpc_timeout_offset(), path.field("grpc_timeout_offset")));
  into.grpc_response = made;
  return {};
}

Result<void> read_times(const route::RouteAction& from, proxy::ForwardAction& into, const Path& path) {
  if (from.has_timeout()) {
    WEFT_TRY(into.timeout, to_milliseconds(from.timeout(), path.field("timeout")));
  }
  if (from.has_idle_timeout()) {
    WEFT_TRY(into.idle_timeout, to_milliseconds(from.idle_timeout(), path.field("idle_timeout")));
  }
  if (from.has_max_stream_duration())
    return read_max_stream_duration(from.max_stream_duration(), into, path.field("max_stream_duration"));
  return from.has_max_grpc_timeout() ? read_max_grpc_timeout(from, into, path) : Result<void>();
}

/// A route offers upgrades beside those of its listener, and takes none of those away.
Result<void> read_upgrades(const route::RouteAction& from, proxy::ForwardAction& into, const Path& path,
                           Conversion& conversion) {
  using Connect = proxy::ForwardAction::Connect;
  for (int i = 0; i < from.upgrade_configs_size(); ++i) {
    const auto& upgrade = from.upgrade_configs(i);
    const Path here = path.item(i);
    std::string type = to_lower(upgrade.upgrade_type());
    if (upgrade.has_connect_config() && type != kConnectUpgrade)
      return fail(here.field("connect_config").invalid("is only for upgrade_type CONNECT"));
    if (upgrade.has_enabled() && !upgrade.enabled().value())
      WEFT_CHECK(conversion.unsupported(here.field("enabled"), "false is not supported for a route"));
    else if (type == kConnectUpgrade)
      into.connect = upgrade.has_connect_config() ? Connect::kTerminate : Connect::kForward;
    else
      into.upgrades.push_back(std::move(type));
  }
  return {};
}

Result<proxy::ForwardAction> to_forward(const route::RouteAction& from, const Path& path,
                                        const TableScope& scope) {
  proxy::ForwardAction made;
  WEFT_CHECK(read_destination(from, made, path));
  WEFT_CHECK(read_rewrites(from, made, path));
  WEFT_CHECK(read_times(from, made, path));
  if (from.cluster_not_found_response_code() == route::RouteAction::NOT_FOUND)
    made.cluster_not_found_status = 404;
  if (from.cluster_not_found_response_code() == route::RouteAction::INTERNAL_SERVER_ERROR)
    made.cluster_not_found_status = 500;
  if (from.has_retry_policy()) {
    WEFT_TRY(auto policy, to_retry_policy(from.retry_policy(), path.field("retry_policy"), scope.conversion));
    made.retry = scope.policies.one_of(std::move(policy));
  }
  WEFT_CHECK(read_upgrades(from, made, path.field("upgrade_configs"), scope.conversion));
  return made;
}

/// RFC 3986 §3.1.
bool is_scheme(std::string_view text) {
  const std::string lower = to_lower(text);
  return lower.front() >= 'a' && lower.front() <= 'z' &&
         lower.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") == lower.npos;
}

Result<proxy::RedirectAction> to_redirect(const route::RedirectAction& from, const Path& path) {
  proxy::RedirectAction made;
  WEFT_CHECK(expect_authority(from.host_redirect(), path.field("host_redirect")));
  const std::string_view redirected = from.path_redirect();
  const std::size_t fragment = std::min(redirected.find('#'), redirected.size());
  WEFT_CHECK(expect_target(redirected.substr(0, fragment), path.field("path_redirect")));
  if (fragment < redirected.size())  // a location may have one
    WEFT_CHECK(expect_target(redirected.substr(fragment + 1), path.field("path_redirect")));
  WEFT_CHECK(expect_target(from.prefix_rewrite(), path.field("prefix_rewrite")));
  if (!from.scheme_redirect().empty() && !is_scheme(from.scheme_redirect()))
    return fail(path.field("scheme_redirect").invalid("'" + from.scheme_redirect() + "' is no scheme"));
  made.host = from.host_redirect();
  made.path = from.path_redirect();
  made.prefix_rewrite = from.prefix_rewrite();
  made.scheme = from.https_redirect() ? "https" : to_lower(from.scheme_redirect());
  made.strip_query = from.strip_query();
  if (from.port_redirect() > 65535)
    return fail(path.field("port_redirect").invalid("has to be at most 65535"));
  if (from.port_redirect() != 0) made.port = static_cast<std::uint16_t>(from.port_redirect());
  switch (from.response_code()) {
    case route::RedirectAction::FOUND: made.status = 302; break;
    case route::RedirectAction::SEE_OTHER: made.status = 303; break;
    case route::RedirectAction::TEMPORARY_REDIRECT: made.status = 307; break;
    case route::RedirectAction::PERMANENT_REDIRECT: made.status = 308; break;
    default: made.status = 301;
  }
  return made;
}

Result<proxy::DirectAction> to_direct(const route::DirectResponseAction& from, const Path& path,
                                      const TableScope& scope) {
  if (from.status() < 200 || from.status() > 599)
    return fail(
        path.field("status").invalid("has to be from 200 to 599, not " + std::to_string(from.status())));
  proxy::DirectAction made;
  made.status = static_cast<int>(from.status());
  made.body = from.body().has_inline_string() ? from.body().inline_string() : from.body().inline_bytes();
  if (made.body.size() > scope.max_direct_body)
    return fail(path.field("body").invalid("is longer than max_direct_response_body_size_bytes, " +
                                           std::to_string(scope.max_direct_body)));
  return made;
}

/// What a route says to one of the HTTP filters.
Result<void> read_filter_settings(const route::Route& from, proxy::Route& into, const Path& path,
                                  Conversion& conversion) {
  for (const auto& [name, settings] : from.typed_per_filter_config()) {
    const Path here = path.field(name);
    if (const HttpFilterConverter* const converter = http_filter_converter(settings)) {
      WEFT_TRY(proxy::HttpFilterFactory make, converter->convert(settings, here, conversion));
      into.filters.push_back({name, std::move(make)});
    } else {
      WEFT_CHECK(conversion.unsupported(
          here, "settings for " + std::string(message_name(settings)) + " are not supported"));
    }
  }
  return {};
}

Result<proxy::Route> to_route(const route::Route& from, const Path& path, const TableScope& scope) {
  proxy::Route made;
  made.name = from.name();
  WEFT_CHECK(scope.conversion.examine(from, path));
  WEFT_TRY(made.match, to_route_match(from.match(), path.field("match")));
  switch (from.action_case()) {
    case route::Route::kRoute: {
      WEFT_TRY(made.action, to_forward(from.route(), path.field("route"), scope));
      break;
    }
    case route::Route::kRedirect: {
      WEFT_TRY(made.action, to_redirect(from.redirect(), path.field("redirect")));
      break;
    }
    case route::Route::kDirectResponse: {
      WEFT_TRY(made.action, to_direct(from.direct_response(), path.field("direct_response"), scope));
      break;
    }
    default: return fail(path.invalid("has to have one of route, redirect, direct_response"));
  }
  WEFT_CHECK(read_header_changes(from, made, path));
  WEFT_CHECK(read_filter_settings(from, made, path.field("typed_per_filter_config"), scope.conversion));
  const Path decorator = path.field("decorator");
  WEFT_CHECK(expect_field_value(from.decorator().operation(), decorator.field("operation")));
  made.decorator_operation = from.decorator().operation();
  return made;
}

/// What a route takes, as far as it can be read: with less said it takes more.
proxy::RouteMatch match_of_closed(const route::RouteMatch& from, const Path& path) {
  if (auto whole = to_route_match(from, path)) return std::move(*whole);
  route::RouteMatch path_only = from;
  path_only.clear_headers();
  path_only.clear_query_parameters();
  path_only.clear_runtime_fraction();
  return to_route_match(path_only, path).value_or(proxy::RouteMatch{});
}

/// Stands in for a route that cannot be converted. What that would have taken gets 500 here: left out, it
/// would be taken by the routes behind it, past whatever it was to hold back.
proxy::Route closed_route(const route::Route& from, const Path& path) {
  constexpr int kStatus = 500;
  proxy::Route made;
  made.name = from.name();
  made.match = match_of_closed(from.match(), path);
  made.action = proxy::DirectAction{
      kStatus, "This route cannot be served as configured; /config_dump of the proxy says why.\n"};
  return made;
}

Result<proxy::Route> to_route_or_closed(const route::Route& from, const Path& path, const TableScope& scope) {
  Result<proxy::Route> made = to_route(from, path, scope);
  if (made || scope.conversion.strict()) return made;
  scope.conversion.reject(made.error());
  return closed_route(from, path);
}

/// Routes without a retry policy take their virtual host's.
void inherit_retry(proxy::VirtualHost& host, const proxy::RetryPolicyPtr& policy) {
  for (proxy::Route& route : host.routes)
    if (auto* forward = std::get_if<proxy::ForwardAction>(&route.action); forward && !forward->retry)
      forward->retry = policy;
}

Result<proxy::VirtualHost> to_virtual_host(const route::VirtualHost& from, const Path& path,
                                           const TableScope& scope) {
  proxy::VirtualHost made;
  made.name = from.name();
  made.domains = from.domains();
  if (made.domains.empty()) return fail(path.field("domains").invalid("is empty"));
  Path routes = path.field("routes");
  made.routes.reserve(static_cast<std::size_t>(from.routes_size()));
  for (int i = 0; i < from.routes_size(); ++i) {
    WEFT_TRY(auto route, to_route_or_closed(from.routes(i), routes.item(i), scope));
    made.routes.push_back(std::move(route));
  }
  WEFT_CHECK(read_header_changes(from, made, path));
  made.include_attempt_count = from.include_request_attempt_count();
  made.require_tls = from.require_tls() != route::VirtualHost::NONE;
  if (from.require_tls() == route::VirtualHost::EXTERNAL_ONLY)
    WEFT_CHECK(scope.conversion.unsupported(path.field("require_tls"),
                                            "EXTERNAL_ONLY is not supported; taken as ALL"));
  if (from.has_retry_policy()) {
    WEFT_TRY(auto policy, to_retry_policy(from.retry_policy(), path.field("retry_policy"), scope.conversion));
    inherit_retry(made, scope.policies.one_of(std::move(policy)));
  }
  return made;
}

}  // namespace

Result<proxy::VirtualHost> to_host_or_closed(const route::VirtualHost& from, const Path& path,
                                             const TableScope& scope) {
  auto made = to_virtual_host(from, path, scope);
  if (made || scope.conversion.strict()) return made;
  scope.conversion.reject(made.error());
  proxy::VirtualHost closed;
  closed.name = from.name();
  closed.domains = from.domains();
  closed.routes.push_back(closed_route(route::Route(), path));
  return closed;
}

}  // namespace weft::xds

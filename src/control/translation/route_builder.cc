#include "control/translation/route_builder.h"

#include <algorithm>

#include "base/strings.h"
#include "base/time.h"
#include "control/translation/messages.h"
#include "control/translation/route_match.h"

namespace weft::control {
namespace {

constexpr std::string_view kRetryOn = "connect-failure,refused-stream,unavailable,cancelled";
constexpr std::uint32_t kRetries = 2;
constexpr std::uint32_t kBodyLimit = 1024 * 1024;

void set_retry_conditions(route::RetryPolicy& policy, const api::istio::RetryOn& on) {
  std::vector<std::string> names = on.conditions;
  for (const std::uint32_t code : on.status_codes) policy.add_retriable_status_codes(code);
  if (policy.retriable_status_codes_size() > 0 &&
      std::ranges::find(names, "retriable-status-codes") == names.end())
    names.emplace_back("retriable-status-codes");
  policy.set_retry_on(join(names, ","));
}

void set_retries(route::RouteAction& action, const api::istio::Retries& retries) {
  static const api::istio::RetryOn kUsual = api::istio::read_retry_on(kRetryOn);
  const std::uint32_t attempts = retries.attempts.value_or(kRetries);
  auto& policy = *action.mutable_retry_policy();
  // Said, for our proxies try once more by themselves what cannot have been done.
  if (attempts == 0) return policy.mutable_num_retries()->set_value(0);
  set_retry_conditions(policy, retries.on ? *retries.on : kUsual);
  policy.mutable_num_retries()->set_value(attempts);
  if (const auto each = retries.per_try_timeout.value_or(0ms); each > 0ms)
    set_duration(*policy.mutable_per_try_timeout(), each);
  if (const auto base = retries.backoff.value_or(0ms); base > 0ms)
    set_duration(*policy.mutable_retry_back_off()->mutable_base_interval(), base);
  auto& predicate = *policy.add_retry_host_predicate();
  predicate.set_name("envoy.retry_host_predicates.previous_hosts");
  predicate.mutable_typed_config()->PackFrom(
      envoy::extensions::retry::host::previous_hosts::v3::PreviousHostsPredicate());
  policy.set_host_selection_retry_max_attempts(5);
}

/// Where header operations go: a route, or one of its weighted clusters; `host` is what has a host to rewrite
/// there, null when nothing is forwarded. A host that is there already stays.
template <class Message, class Host>
void add_header_operations(Message& into, const api::istio::HeaderChanges& headers, Host* host) {
  constexpr auto kSet = core::HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD;
  constexpr auto kAdd = core::HeaderValueOption::APPEND_IF_EXISTS_OR_ADD;
  const auto add = [](auto& option, const auto& header, auto append) {
    option.mutable_header()->set_key(header.first);
    option.mutable_header()->set_value(header.second);
    option.set_append_action(append);
  };
  const auto& [request, response] = headers;
  for (const auto& header : request.set) {
    const bool is_host = host && (to_lower(header.first) == "host" || header.first == ":authority");
    if (!is_host)
      add(*into.add_request_headers_to_add(), header, kSet);
    else if (host->host_rewrite_literal().empty())
      host->set_host_rewrite_literal(header.second);
  }
  for (const auto& header : request.add) add(*into.add_request_headers_to_add(), header, kAdd);
  for (const std::string& name : request.remove) into.add_request_headers_to_remove(name);
  for (const auto& header : response.set) add(*into.add_response_headers_to_add(), header, kSet);
  for (const auto& header : response.add) add(*into.add_response_headers_to_add(), header, kAdd);
  for (const std::string& name : response.remove) into.add_response_headers_to_remove(name);
}

std::string operation_of(const std::string& cluster_name) {
  auto parts = split(cluster_name, '|');
  return parts.size() < 4 ? cluster_name : std::string(parts[3]) + ":" + std::string(parts[1]) + "/*";
}

void set_weighted_clusters(route::RouteAction& action, const api::istio::Forward& forward,
                           std::string_view ns, const RouteScope& scope) {
  for (const api::istio::WeightedDestination& weighted : forward.destinations) {
    if (weighted.weight == 0) continue;
    auto& to = *action.mutable_weighted_clusters()->add_clusters();
    to.set_name(destination_cluster(weighted.destination, ns, scope));
    to.mutable_weight()->set_value(weighted.weight);
    add_header_operations(to, weighted.headers, &to);
    if (!action.host_rewrite_literal().empty()) to.clear_host_rewrite_literal();
  }
}

void set_action(route::Route& made, const api::istio::Forward& forward, std::string_view ns,
                const RouteScope& scope) {
  auto& action = *made.mutable_route();
  set_timeout(action, forward.timeout.value_or(0ms));
  set_retries(action, forward.retries);
  if (!forward.rewrite.uri.empty()) set_path_rewrite(made, forward.rewrite.uri);
  if (!forward.rewrite.authority.empty()) action.set_host_rewrite_literal(forward.rewrite.authority);
  if (forward.destinations.size() == 1) {
    const api::istio::WeightedDestination& only = forward.destinations.front();
    action.set_cluster(destination_cluster(only.destination, ns, scope));
    add_header_operations(made, only.headers, &action);
    made.mutable_decorator()->set_operation(operation_of(action.cluster()));
    return;
  }
  set_weighted_clusters(action, forward, ns, scope);
  if (action.weighted_clusters().clusters_size() == 0) {
    // Validation rejects rules whose weights are all 0; every proxy would reject an empty list.
    action.set_cluster(std::string(kBlackHole));
    return;
  }
  made.mutable_decorator()->set_operation(operation_of(action.weighted_clusters().clusters(0).name()));
}

void set_action(route::Route& made, const api::istio::Redirect& redirect, std::string_view,
                const RouteScope&) {
  auto& action = *made.mutable_redirect();
  if (!redirect.uri.empty()) action.set_path_redirect(redirect.uri);
  if (!redirect.authority.empty()) action.set_host_redirect(redirect.authority);
  if (!redirect.scheme.empty()) action.set_scheme_redirect(redirect.scheme);
  action.set_port_redirect(redirect.port);
  switch (redirect.code) {
    case 302: action.set_response_code(route::RedirectAction::FOUND); break;
    case 303: action.set_response_code(route::RedirectAction::SEE_OTHER); break;
    case 307: action.set_response_code(route::RedirectAction::TEMPORARY_REDIRECT); break;
    case 308: action.set_response_code(route::RedirectAction::PERMANENT_REDIRECT); break;
    default: action.set_response_code(route::RedirectAction::MOVED_PERMANENTLY); break;
  }
}

void set_action(route::Route& made, const api::istio::DirectResponse& direct, std::string_view,
                const RouteScope&) {
  auto& action = *made.mutable_direct_response();
  action.set_status(direct.status);
  if (!direct.body) return;
  if (direct.body->form == api::istio::Body::Form::kText)
    action.mutable_body()->set_inline_string(direct.body->content);
  else
    action.mutable_body()->set_inline_bytes(direct.body->content);
}

/// Both kinds of fault say their share in the same way.
void set_share(auto& into, api::istio::PerMillion share) {
  into.mutable_percentage()->set_numerator(share);
  into.mutable_percentage()->set_denominator(envoy::type::v3::FractionalPercent::MILLION);
}

void set_fault(route::Route& made, const api::istio::Fault& fault) {
  envoy::extensions::filters::http::fault::v3::HTTPFault settings;
  if (fault.delay) {
    set_duration(*settings.mutable_delay()->mutable_fixed_delay(), fault.delay->time.value_or(1ms));
    set_share(*settings.mutable_delay(), fault.delay->share);
  }
  if (fault.abort) {
    if (const auto* grpc = std::get_if<api::istio::GrpcStatus>(&fault.abort->status))
      settings.mutable_abort()->set_grpc_status(static_cast<std::uint32_t>(grpc->code));
    else
      settings.mutable_abort()->set_http_status(std::get<api::istio::HttpStatus>(fault.abort->status).code);
    set_share(*settings.mutable_abort(), fault.abort->share);
  }
  (*made.mutable_typed_per_filter_config())[std::string(kFaultFilter)].PackFrom(settings);
}

/// "VirtualService" as "virtual-service", "HTTPRoute" as "http-route".
std::string in_lower_words(std::string_view name) {
  const auto upper = [&](std::size_t at) { return at < name.size() && name[at] >= 'A' && name[at] <= 'Z'; };
  std::string words;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (i > 0 && upper(i) && (!upper(i - 1) || (i + 1 < name.size() && !upper(i + 1)))) words += '-';
    words += upper(i) ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
  }
  return words;
}

/// Where the rule is from, as Istio says it and for the tools that read it there:
/// "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews".
void set_origin(route::Route& made, const api::Object& rule) {
  auto& fields = *(*made.mutable_metadata()->mutable_filter_metadata())["istio"].mutable_fields();
  fields["config"].set_string_value("/apis/" + rule.kind->api_version() + "/namespaces/" +
                                    std::string(rule.ns()) + "/" + in_lower_words(rule.kind->kind) + "/" +
                                    std::string(rule.name()));
}

}  // namespace

std::string destination_cluster(const api::istio::Destination& destination, std::string_view rule_ns,
                                const RouteScope& scope) {
  std::string host = scope.push.registry.resolve_destination(destination.host, rule_ns);
  std::uint16_t port = destination.port;
  if (port == 0) {
    const Service* service = scope.push.registry.find(host);
    port = service && service->ports.size() == 1 ? service->ports.front().number : scope.port;
  }
  return outbound_cluster(port, destination.subset, host);
}

route::Route& add_http_route(route::VirtualHost& into, const api::istio::RequestMatch& match,
                             const api::istio::HttpRoute& http, const api::Object& owner,
                             const RouteScope& scope) {
  auto& made = *into.add_routes();
  made.set_name(http.name);
  set_origin(made, owner);
  set_route_match(*made.mutable_match(), match);
  // As in Istio: of what is set twice the last holds, and what a single destination sets comes last. Of hosts
  // the rewrite's holds, else the route's.
  const bool forwards = std::holds_alternative<api::istio::Forward>(http.action);
  add_header_operations(made, http.headers, forwards ? made.mutable_route() : nullptr);
  std::visit([&](const auto& action) { set_action(made, action, owner.ns(), scope); }, http.action);
  if (http.fault) set_fault(made, *http.fault);
  return made;
}

void add_rule_routes(route::VirtualHost& into, const VirtualService& rule, const RouteScope& scope) {
  const api::Object& owner = *rule.object;
  for (const api::istio::HttpRoute& http : rule.spec->http) {
    if (http.matches.empty()) {
      add_http_route(into, {}, http, owner, scope);
      return;
    }
    for (const api::istio::HttpMatch& match : http.matches)
      if (rule.holds(match.scope, scope.approach()) &&
          is_catch_all(add_http_route(into, match.request, http, owner, scope).match()))
        return;
  }
}

void add_plain_route(route::VirtualHost& into, const std::string& cluster_name,
                     const std::string& operation) {
  auto& made = *into.add_routes();
  made.set_name("default");
  made.mutable_match()->set_prefix("/");
  made.mutable_route()->set_cluster(cluster_name);
  set_timeout(*made.mutable_route(), 0ms);
  set_retries(*made.mutable_route(), {});
  made.mutable_decorator()->set_operation(operation + "/*");
}

bool set_tcp_destination(tcp_proxy::TcpProxy& into, const VirtualService& rule, const RouteScope& scope) {
  for (const api::istio::TcpRoute& tcp : rule.spec->tcp) {
    const bool any = tcp.matches.empty() || std::ranges::any_of(tcp.matches, [&](const auto& match) {
                       return rule.holds(match, scope.approach());
                     });
    if (!any || tcp.destinations.empty()) continue;
    set_tcp_route(into, tcp, rule.object->ns(), scope);
    return true;
  }
  return false;
}

void set_tcp_route(tcp_proxy::TcpProxy& into, const api::istio::TcpRoute& tcp, std::string_view rule_ns,
                   const RouteScope& scope) {
  auto* weighted = tcp.destinations.size() > 1 ? into.mutable_weighted_clusters() : nullptr;
  for (const api::istio::WeightedDestination& to : tcp.destinations) {
    std::string name = destination_cluster(to.destination, rule_ns, scope);
    if (!weighted) {
      into.set_cluster(name);
    } else if (to.weight > 0) {
      auto& entry = *weighted->add_clusters();
      entry.set_name(name);
      entry.set_weight(to.weight);
    }
  }
  if (weighted && weighted->clusters_size() == 0) into.set_cluster(std::string(kBlackHole));
}

void set_route_table_options(route::RouteConfiguration& table, const std::string& name) {
  table.set_name(name);
  table.mutable_validate_clusters()->set_value(false);
  table.mutable_max_direct_response_body_size_bytes()->set_value(kBodyLimit);
  table.set_ignore_port_in_host_matching(true);
}

}  // namespace weft::control

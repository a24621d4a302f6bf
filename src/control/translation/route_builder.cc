#include "control/translation/route_builder.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "api/duration.h"
#include "api/grpc_status.h"
#include "base/base64.h"
#include "base/strings.h"
#include "base/time.h"
#include "control/json.h"
#include "control/translation/messages.h"
#include "control/translation/route_match.h"

namespace weft::control {
namespace {

constexpr std::string_view kRetryOn = "connect-failure,refused-stream,unavailable,cancelled";
constexpr std::uint32_t kRetries = 2;
constexpr std::uint32_t kBodyLimit = 1024 * 1024;

std::chrono::milliseconds duration_or(const api::Json& object, std::string_view key,
                                      std::chrono::milliseconds otherwise) {
  std::string_view text = json::text(object, key);
  if (text.empty()) return otherwise;
  return api::parse_duration(text).value_or(otherwise);
}

/// "gateway-error,503": conditions by name, status codes by number.
void set_retry_conditions(route::RetryPolicy& policy, std::string_view text) {
  std::vector<std::string> names;
  for (std::string_view part : split(text, ',')) {
    part = trim(part);
    std::uint32_t code = 0;
    auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), code);
    if (error == std::errc() && end == part.data() + part.size()) {
      policy.add_retriable_status_codes(code);
    } else if (!part.empty()) {
      names.emplace_back(part);
    }
  }
  if (policy.retriable_status_codes_size() > 0 &&
      std::ranges::find(names, "retriable-status-codes") == names.end())
    names.emplace_back("retriable-status-codes");
  policy.set_retry_on(join(names, ","));
}

void set_retries(route::RouteAction& action, const api::Json& retries) {
  std::int64_t attempts = json::number(retries, "attempts", kRetries);
  if (attempts <= 0) return;
  auto& policy = *action.mutable_retry_policy();
  std::string_view on = json::text(retries, "retryOn");
  set_retry_conditions(policy, on.empty() ? kRetryOn : on);
  policy.mutable_num_retries()->set_value(static_cast<std::uint32_t>(attempts));
  if (auto each = duration_or(retries, "perTryTimeout", 0ms); each > 0ms)
    set_duration(*policy.mutable_per_try_timeout(), each);
  if (auto base = duration_or(retries, "backoff", 0ms); base > 0ms)
    set_duration(*policy.mutable_retry_back_off()->mutable_base_interval(), base);
  auto& predicate = *policy.add_retry_host_predicate();
  predicate.set_name("envoy.retry_host_predicates.previous_hosts");
  predicate.mutable_typed_config()->PackFrom(
      envoy::extensions::retry::host::previous_hosts::v3::PreviousHostsPredicate());
  policy.set_host_selection_retry_max_attempts(5);
}

/// Where header operations go: a route, or one of its weighted clusters; `host` is what has a host to rewrite
/// there, null when nothing is forwarded.
template <class Message, class Host>
void add_header_operations(Message& into, const api::Json& headers, Host* host) {
  auto add = [](auto& option, const std::string& key, const api::Json& value, auto append) {
    option.mutable_header()->set_key(key);
    option.mutable_header()->set_value(value.is_string() ? value.get<std::string>() : std::string());
    option.set_append_action(append);
  };
  const api::Json& request = json::map(headers, "request");
  const api::Json& response = json::map(headers, "response");
  for (const auto& [key, value] : json::map(request, "set").items()) {
    if (host && (to_lower(key) == "host" || key == ":authority")) {
      host->set_host_rewrite_literal(value.is_string() ? value.get<std::string>() : std::string());
      continue;
    }
    add(*into.add_request_headers_to_add(), key, value, core::HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD);
  }
  for (const auto& [key, value] : json::map(request, "add").items())
    add(*into.add_request_headers_to_add(), key, value, core::HeaderValueOption::APPEND_IF_EXISTS_OR_ADD);
  for (const auto& name : json::list(request, "remove"))
    if (name.is_string()) into.add_request_headers_to_remove(name.template get<std::string>());
  for (const auto& [key, value] : json::map(response, "set").items())
    add(*into.add_response_headers_to_add(), key, value, core::HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD);
  for (const auto& [key, value] : json::map(response, "add").items())
    add(*into.add_response_headers_to_add(), key, value, core::HeaderValueOption::APPEND_IF_EXISTS_OR_ADD);
  for (const auto& name : json::list(response, "remove"))
    if (name.is_string()) into.add_response_headers_to_remove(name.template get<std::string>());
}

std::string operation_of(const std::string& cluster_name) {
  auto parts = split(cluster_name, '|');
  return parts.size() < 4 ? cluster_name : std::string(parts[3]) + ":" + std::string(parts[1]) + "/*";
}

void set_forward(route::Route& made, const api::Json& http, const VirtualService& rule,
                 const RouteScope& scope) {
  auto& action = *made.mutable_route();
  set_timeout(action, duration_or(http, "timeout", 0ms));
  set_retries(action, json::map(http, "retries"));
  const api::Json& rewrite = json::map(http, "rewrite");
  if (std::string_view uri = json::text(rewrite, "uri"); !uri.empty()) set_path_rewrite(made, uri);
  if (std::string_view authority = json::text(rewrite, "authority"); !authority.empty())
    action.set_host_rewrite_literal(std::string(authority));
  const api::Json& destinations = json::list(http, "route");
  if (destinations.size() == 1) {
    const api::Json& only = destinations[0];
    action.set_cluster(destination_cluster(json::map(only, "destination"), rule.object->ns(), scope));
    add_header_operations(made, json::map(only, "headers"), &action);
    made.mutable_decorator()->set_operation(operation_of(action.cluster()));
    return;
  }
  for (const auto& weighted : destinations) {
    std::int64_t weight = json::number(weighted, "weight");
    if (weight <= 0) continue;
    auto& to = *action.mutable_weighted_clusters()->add_clusters();
    to.set_name(destination_cluster(json::map(weighted, "destination"), rule.object->ns(), scope));
    to.mutable_weight()->set_value(static_cast<std::uint32_t>(weight));
    add_header_operations(to, json::map(weighted, "headers"), &to);
  }
  if (action.weighted_clusters().clusters_size() == 0) {
    // Validation refuses rules whose weights are all 0; an empty list would be refused by every proxy.
    action.set_cluster(std::string(kBlackHole));
    return;
  }
  made.mutable_decorator()->set_operation(operation_of(action.weighted_clusters().clusters(0).name()));
}

void set_redirect(route::Route& made, const api::Json& redirect) {
  auto& action = *made.mutable_redirect();
  if (std::string_view uri = json::text(redirect, "uri"); !uri.empty())
    action.set_path_redirect(std::string(uri));
  if (std::string_view to = json::text(redirect, "authority"); !to.empty())
    action.set_host_redirect(std::string(to));
  if (std::string_view to = json::text(redirect, "scheme"); !to.empty())
    action.set_scheme_redirect(std::string(to));
  action.set_port_redirect(static_cast<std::uint32_t>(json::number(redirect, "port")));
  switch (json::number(redirect, "redirectCode", 301)) {
    case 302: action.set_response_code(route::RedirectAction::FOUND); break;
    case 303: action.set_response_code(route::RedirectAction::SEE_OTHER); break;
    case 307: action.set_response_code(route::RedirectAction::TEMPORARY_REDIRECT); break;
    case 308: action.set_response_code(route::RedirectAction::PERMANENT_REDIRECT); break;
    default: action.set_response_code(route::RedirectAction::MOVED_PERMANENTLY); break;
  }
}

void set_direct_response(route::Route& made, const api::Json& direct) {
  auto& action = *made.mutable_direct_response();
  action.set_status(static_cast<std::uint32_t>(json::number(direct, "status", 200)));
  const api::Json& body = json::map(direct, "body");
  if (body.contains("string"))
    action.mutable_body()->set_inline_string(std::string(json::text(body, "string")));
  if (body.contains("bytes"))
    action.mutable_body()->set_inline_bytes(decode_base64(json::text(body, "bytes")).value_or(""));
}

/// Both kinds of fault say their share in the same way; without one it is no request, as in Istio.
template <class Message>
void set_percentage(Message& into, const api::Json& fault) {
  double percent = static_cast<double>(json::number(fault, "percent", 0));
  const api::Json& share = json::map(fault, "percentage");
  if (share.contains("value") && share["value"].is_number()) percent = share["value"].get<double>();
  into.mutable_percentage()->set_numerator(static_cast<std::uint32_t>(std::lround(percent * 10'000)));
  into.mutable_percentage()->set_denominator(envoy::type::v3::FractionalPercent::MILLION);
}

void set_fault(route::Route& made, const api::Json& fault) {
  envoy::extensions::filters::http::fault::v3::HTTPFault settings;
  if (const api::Json& delay = json::map(fault, "delay"); !delay.empty()) {
    set_duration(*settings.mutable_delay()->mutable_fixed_delay(), duration_or(delay, "fixedDelay", 1ms));
    set_percentage(*settings.mutable_delay(), delay);
  }
  if (const api::Json& abort = json::map(fault, "abort"); !abort.empty()) {
    if (const auto status = api::grpc_status_number(json::text(abort, "grpcStatus")))
      settings.mutable_abort()->set_grpc_status(static_cast<std::uint32_t>(*status));
    else
      settings.mutable_abort()->set_http_status(
          static_cast<std::uint32_t>(json::number(abort, "httpStatus", 503)));
    set_percentage(*settings.mutable_abort(), abort);
  }
  (*made.mutable_typed_per_filter_config())[std::string(kFaultFilter)].PackFrom(settings);
}

/// The parts of a match that decide whether it holds for this proxy, port and gateway at all.
bool holds(const api::Json& match, const VirtualService& rule, const RouteScope& scope) {
  if (std::int64_t port = json::number(match, "port"); port != 0 && port != scope.port) return false;
  const api::Json& gateways = json::list(match, "gateways");
  if (!gateways.empty()) {
    bool named = std::ranges::any_of(gateways, [&](const api::Json& name) {
      if (!name.is_string()) return false;
      return gateway_name(name.get_ref<const std::string&>(), rule.object->ns()) == scope.gateway;
    });
    if (!named) return false;
  }
  // As Istio: a match that names its gateway is for all that comes there.
  if (scope.gateway != kMesh && !gateways.empty()) return true;
  return contains(scope.proxy.labels, labels_from(json::map(match, "sourceLabels")));
}

bool is_readable(const VirtualService& rule, const char* list, std::size_t route, std::size_t match) {
  return rule.unreadable.empty() ||
         !rule.unreadable.contains(std::string(list) + "[" + std::to_string(route) + "].match[" +
                                   std::to_string(match) + "]");
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

std::uint16_t destination_port(const api::Json& destination, const Service* service,
                               std::uint16_t requested) {
  if (std::int64_t port = json::number(json::map(destination, "port"), "number"); port != 0)
    return static_cast<std::uint16_t>(port);
  if (service && service->ports.size() == 1) return service->ports.front().number;
  return requested;
}

std::string destination_cluster(const api::Json& destination, std::string_view rule_ns,
                                const RouteScope& scope) {
  std::string host = scope.inputs.registry.resolve_destination(json::text(destination, "host"), rule_ns);
  const Service* service = scope.inputs.registry.find(host);
  return outbound_cluster(destination_port(destination, service, scope.port),
                          json::text(destination, "subset"), host);
}

route::Route& add_http_route(route::VirtualHost& into, const api::Json& match, const api::Json& http,
                             const VirtualService& rule, const RouteScope& scope) {
  auto& made = *into.add_routes();
  made.set_name(std::string(json::text(http, "name")));
  set_origin(made, *rule.object);
  set_route_match(*made.mutable_match(), match);
  if (http.contains("redirect")) {
    set_redirect(made, json::map(http, "redirect"));
  } else if (http.contains("directResponse")) {
    set_direct_response(made, json::map(http, "directResponse"));
  } else {
    set_forward(made, http, rule, scope);
  }
  if (http.contains("fault")) set_fault(made, json::map(http, "fault"));
  add_header_operations(made, json::map(http, "headers"), made.has_route() ? made.mutable_route() : nullptr);
  return made;
}

void add_rule_routes(route::VirtualHost& into, const VirtualService& rule, const RouteScope& scope) {
  static const api::Json kAnything = api::Json::object();
  const api::Json& routes = json::list(rule.object->spec(), "http");
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const api::Json& matches = json::list(routes[i], "match");
    if (matches.empty()) add_http_route(into, kAnything, routes[i], rule, scope);
    for (std::size_t j = 0; j < matches.size(); ++j)
      if (is_readable(rule, "http", i, j) && holds(matches[j], rule, scope))
        if (is_catch_all(add_http_route(into, matches[j], routes[i], rule, scope).match())) return;
    if (matches.empty()) return;
  }
}

void add_plain_route(route::VirtualHost& into, const std::string& cluster_name,
                     const std::string& operation) {
  auto& made = *into.add_routes();
  made.set_name("default");
  made.mutable_match()->set_prefix("/");
  made.mutable_route()->set_cluster(cluster_name);
  set_timeout(*made.mutable_route(), 0ms);
  set_retries(*made.mutable_route(), api::Json::object());
  made.mutable_decorator()->set_operation(operation + "/*");
}

bool set_tcp_destination(tcp_proxy::TcpProxy& into, const VirtualService& rule, const RouteScope& scope) {
  const api::Json& routes = json::list(rule.object->spec(), "tcp");
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const api::Json& matches = json::list(routes[i], "match");
    bool any = matches.empty();
    for (std::size_t j = 0; j < matches.size(); ++j)
      any = any || (is_readable(rule, "tcp", i, j) && holds(matches[j], rule, scope));
    if (!any || json::list(routes[i], "route").empty()) continue;
    set_tcp_route(into, routes[i], rule, scope);
    return true;
  }
  return false;
}

void set_tcp_route(tcp_proxy::TcpProxy& into, const api::Json& tcp, const VirtualService& rule,
                   const RouteScope& scope) {
  const api::Json& destinations = json::list(tcp, "route");
  auto* weighted = destinations.size() > 1 ? into.mutable_weighted_clusters() : nullptr;
  for (const auto& to : destinations) {
    std::string name = destination_cluster(json::map(to, "destination"), rule.object->ns(), scope);
    if (!weighted) {
      into.set_cluster(name);
    } else if (std::int64_t weight = json::number(to, "weight"); weight > 0) {
      auto& entry = *weighted->add_clusters();
      entry.set_name(name);
      entry.set_weight(static_cast<std::uint32_t>(weight));
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

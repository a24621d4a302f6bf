#include <algorithm>
#include <initializer_list>
#include <limits>

#include "api/json_text.h"
#include "api/rules/rules.h"
#include "api/schema/check.h"
#include "api/schema/formats.h"
#include "base/base64.h"
#include "base/strings.h"

namespace weft::api {
namespace {

/// Weights are shares of their sum, so a sum of none has no meaning; a single destination needs no weight.
void check_weights(const Json& rule, const Path& at, Report& report) {
  const Json& route = rule["route"];
  if (route.size() < 2) return;
  std::int64_t sum = 0;
  for (const Json& each : route) sum += json_integer(each, "weight", 0);
  if (sum == 0)
    report.problem(at.at("route"), "the weights add up to 0; give at least one destination a weight");
  if (sum > std::numeric_limits<std::uint32_t>::max())
    report.problem(at.at("route"), "the weights add up to " + std::to_string(sum) +
                                       "; their sum may be at most 4294967295: divide them all");
}

/// The host of a request that is forwarded can be set, and nothing else be done with it: it is not a header
/// field in every version of HTTP, and a response has none.
void check_header_changes(const Json& owner, bool forwards, const Path& at, Report& report) {
  const Json* headers = member(owner, "headers");
  if (!headers) return;
  const Path headers_at = at.at("headers");
  for (const char* of : {"request", "response"}) {
    const Json* operations = member(*headers, of);
    if (!operations) continue;
    const Path of_at = headers_at.at(of);
    const bool may_set = std::string_view(of) == "request";
    if (may_set && !forwards) continue;  // no change of any header may stand there
    const char* complaint = may_set ? "the host can only be set: write it under set"
                                    : "the host can only be set in requests that go to a destination";
    for (const char* what : {"set", "add"}) {
      const Json* changes = member(*operations, what);
      const Path what_at = of_at.at(what);
      if (!changes) continue;
      for (const auto& [name, value] : changes->items())
        if (is_host_header(name) && !(may_set && std::string_view(what) == "set"))
          report.problem(what_at.at(name), complaint);
        else if (is_host_header(name) && !authority(value.get_ref<const std::string&>()).empty())
          report.problem(what_at.at(name),
                         shown(value) + ": " + authority(value.get_ref<const std::string&>()));
    }
    each(*operations, "remove", of_at, [&](const Json& name, const Path& name_at) {
      if (is_host_header(name.get_ref<const std::string&>())) report.problem(name_at, complaint);
    });
  }
}

void check_direct_response(const Json& rule, const Path& at, Report& report) {
  constexpr std::size_t kMax = 1 << 20;
  const Json* direct = member(rule, "directResponse");
  const Json* body = direct ? member(*direct, "body") : nullptr;
  if (!body) return;
  const Path direct_at = at.at("directResponse"), body_at = direct_at.at("body");
  std::size_t size = text_of(*body, "string").size();
  if (body->contains("bytes")) size = decode_base64(text_of(*body, "bytes")).value_or("").size();
  if (size > kMax)
    report.problem(body_at, std::to_string(size) + " bytes; a response of a rule may have at most 1048576");
}

/// What true says is done of every retry.
void check_previous_hosts(const Json& retries, const Path& at, Report& report) {
  const Json* ignores = member(retries, "retryIgnorePreviousHosts");
  if (ignores && *ignores == false)
    report.unsupported(at.at("retryIgnorePreviousHosts"), "false",
                       "remove it; a retry passes over endpoints that were tried while there is another");
}

void check_retries(const Json& rule, const Path& at, Report& report) {
  const Json* retries = member(rule, "retries");
  if (!retries) return;
  constexpr std::string_view kConditions[] = {"5xx",
                                              "gateway-error",
                                              "reset",
                                              "reset-before-request",
                                              "connect-failure",
                                              "retriable-4xx",
                                              "refused-stream",
                                              "retriable-status-codes",
                                              "envoy-ratelimited",
                                              "cancelled",
                                              "deadline-exceeded",
                                              "internal",
                                              "resource-exhausted",
                                              "unavailable"};
  // The rule has no place for the headers that the one means, and there is no HTTP/3 for the other.
  constexpr std::string_view kNotDone[] = {"retriable-headers", "http3-post-connect-failure"};
  Path retries_at = at.at("retries");
  Path on_at = retries_at.at("retryOn");
  const bool said = retries->contains("attempts");
  const bool off = retries->value("attempts", std::int64_t{0}) == 0;
  const bool more = std::ranges::any_of(
      std::initializer_list<const char*>{"perTryTimeout", "retryOn", "backoff", "retryIgnorePreviousHosts"},
      [&](const char* name) { return retries->contains(name); });
  if (off && more)
    report.problem(
        said ? retries_at.at("attempts") : retries_at,
        said ? "0 turns retries off; remove what else is said of them, or allow attempts"
             : "without attempts retries are off; add attempts, or remove what else is said of them");
  check_previous_hosts(*retries, retries_at, report);
  std::string_view text = text_of(*retries, "retryOn");
  if (text.empty()) return;
  for (std::string_view part : split(text, ',')) {
    part = trim(part);
    bool status = part.size() == 3 && part[0] >= '1' && part[0] <= '5' &&
                  part.find_first_not_of("0123456789") == part.npos;
    if (status || std::ranges::find(kConditions, part) != std::end(kConditions)) continue;
    if (std::ranges::find(kNotDone, part) != std::end(kNotDone)) {
      report.unsupported(on_at, part, "remove it");
      continue;
    }
    part = cut(part, 64);
    std::string_view near = nearest(part, kConditions);
    report.problem(on_at, "\"" + std::string(part) +
                              "\": must be a retry condition such as 5xx, reset or 503" +
                              (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"));
  }
}

void check_redirect(const Json& rule, const Path& at, Report& report) {
  if (const Json* redirect = member(rule, "redirect")) {
    bool somewhere = redirect->contains("uri") || redirect->contains("authority") ||
                     redirect->contains("port") || redirect->contains("scheme");
    if (!somewhere) report.problem(at.at("redirect"), "must change the uri, authority, scheme or port");
    constexpr int kCodes[] = {301, 302, 303, 307, 308};
    Path redirect_at = at.at("redirect");
    const Json* code = member(*redirect, "redirectCode");
    if (code && std::ranges::find(kCodes, code->get<int>()) == std::end(kCodes))
      report.problem(redirect_at.at("redirectCode"), shown(*code) + ": must be 301, 302, 303, 307 or 308");
  }
  const Json* rewrite = member(rule, "rewrite");
  if (!rewrite) return;
  if (!rewrite->contains("uri") && !rewrite->contains("authority"))
    report.problem(at.at("rewrite"), "must have a uri or an authority");
}

bool changes_requests(const Json& rule) {
  const Json* headers = member(rule, "headers");
  const Json* request = headers ? member(*headers, "request") : nullptr;
  return request && std::ranges::any_of(*request, [](const Json& operations) { return !operations.empty(); });
}

/// A redirect and a directResponse send the request nowhere: what acts on its way has no effect beside them.
/// A fault comes before any of them.
void check_forwarding(const Json& rule, const Path& at, Report& report) {
  constexpr const char* kNowhere = "needs a route; a redirect and a directResponse send the request nowhere";
  if (rule.contains("route")) return;
  if (rule.contains("rewrite")) report.problem(at.at("rewrite"), "needs a route; a redirect has its own uri");
  for (const char* name : {"timeout", "retries"})
    if (rule.contains(name)) report.problem(at.at(name), kNowhere);
  const Path headers_at = at.at("headers");
  if (changes_requests(rule)) report.problem(headers_at.at("request"), kNowhere);
}

void check_fault(const Json& rule, const Path& at, Report& report) {
  const Json* fault = member(rule, "fault");
  if (!fault) return;
  const Json *delay = member(*fault, "delay"), *abort = member(*fault, "abort");
  if (!delay && !abort) report.problem(at.at("fault"), "must have a delay, an abort, or both");
  const Path fault_at = at.at("fault"), delay_at = fault_at.at("delay"), abort_at = fault_at.at("abort");
  if (delay && delay->contains("percent") && delay->contains("percentage"))
    report.problem(delay_at.at("percent"),
                   "only one of percentage and its older form, percent, may be given");
  if (delay && !delay->contains("percent") && !delay->contains("percentage"))
    report.no_effect(delay_at.at("percentage"),
                     "is required: without it no request is delayed; write {value: 100} for all of them");
  if (abort && !abort->contains("percentage"))
    report.no_effect(abort_at.at("percentage"),
                     "is required: without it no request is aborted; write {value: 100} for all of them");
}

void check_method(const Json& match, const Path& at, Report& report) {
  const Json* method = member(match, "method");
  if (!method || text_of(*method, "exact") != "CONNECT") return;
  const Path method_at = at.at("method");
  report.problem(method_at.at("exact"), std::string(kConnectIsNotRouted));
}

/// A path is matched without its query, and one with a fragment is 400.
void check_uri(const Json& match, const Path& at, Report& report) {
  const Json* uri = member(match, "uri");
  if (!uri) return;
  const Path uri_at = at.at("uri");
  for (const char* form : {"exact", "prefix"}) {
    const std::string_view path = text_of(*uri, form);
    if (path.find_first_of("?#") != std::string_view::npos)
      report.problem(uri_at.at(form), shown((*uri)[form]) + ": " + std::string(kOnlyAPath) +
                                          "; write a query under queryParams");
    else if (!path.empty() && path.front() != '/' && path != "*")
      report.problem(uri_at.at(form), shown((*uri)[form]) + ": must begin with '/', as every path does");
  }
}

void check_uri_case(const Json& match, const Path& at, Report& report) {
  const Json* ignores = member(match, "ignoreUriCase");
  if (!ignores || *ignores != true) return;
  const Json* uri = member(match, "uri");
  const Path flag_at = at.at("ignoreUriCase");
  if (!uri) report.no_effect(flag_at, "true: has no effect without a uri; remove it");
  if (uri && uri->contains("regex"))
    report.no_effect(flag_at, "true: has no effect on uri.regex; begin the regular expression with (?i)");
}

void check_matches(const Json& rule, const Path& at, Report& report) {
  each(rule, "match", at, [&](const Json& match, const Path& match_at) {
    check_method(match, match_at, report);
    check_uri(match, match_at, report);
    check_uri_case(match, match_at, report);
  });
}

void check_http_rule(const Json& rule, const Path& at, Report& report) {
  const Json* route = member(rule, "route");
  int actions =
      (route ? 1 : 0) + (rule.contains("redirect") ? 1 : 0) + (rule.contains("directResponse") ? 1 : 0);
  if (actions == 0) report.problem(at, "needs a route, a redirect or a directResponse");
  if (actions > 1) report.problem(at, "only one of route, redirect and directResponse may be given");
  if (route && route->empty()) report.problem(at.at("route"), "must have at least one destination");
  if (route) check_weights(rule, at, report);
  check_matches(rule, at, report);
  check_header_changes(rule, route != nullptr, at, report);
  each(rule, "route", at, [&](const Json& destination, const Path& destination_at) {
    check_header_changes(destination, true, destination_at, report);
  });
  check_direct_response(rule, at, report);
  check_redirect(rule, at, report);
  check_forwarding(rule, at, report);
  check_retries(rule, at, report);
  check_fault(rule, at, report);
}

void check_policy(const Json& owner, const Path& at, Report& report) {
  const Json* policy = member(owner, "trafficPolicy");
  const Json* balancer = policy ? member(*policy, "loadBalancer") : nullptr;
  Path policy_at = at.at("trafficPolicy");
  if (balancer && !balancer->contains("simple"))
    report.problem(policy_at.at("loadBalancer"), "must have simple, such as simple: LEAST_REQUEST");
}

bool on_mesh(const Json& spec) {
  const Json* gateways = member(spec, "gateways");
  if (!gateways || gateways->empty()) return true;
  return std::ranges::any_of(*gateways, [](const Json& each) { return each == "mesh"; });
}

}  // namespace

void check_virtual_service(const Json& spec, const Path& at, Report& report) {
  const Json* hosts = member(spec, "hosts");
  if (!hosts || hosts->empty()) report.problem(at.at("hosts"), "must have at least one host");
  Unique names("this host", report);
  each(spec, "hosts", at, [&](const Json& host, const Path& host_at) {
    names.add(to_lower(host.get_ref<const std::string&>()), host_at);
    if (host == "*" && on_mesh(spec))
      report.problem(host_at, "\"*\" may stand only where all gateways are named and mesh is none of them");
  });
  auto some = [&](const char* name) {
    const Json* list = member(spec, name);
    return list && !list->empty();
  };
  if (!some("http") && !some("tcp")) report.problem(at, "needs http or tcp routes");
  each(spec, "http", at,
       [&](const Json& rule, const Path& rule_at) { check_http_rule(rule, rule_at, report); });
  each(spec, "tcp", at, [&](const Json& rule, const Path& rule_at) {
    if (rule["route"].empty()) report.problem(rule_at.at("route"), "must have at least one destination");
    check_weights(rule, rule_at, report);
  });
}

void check_destination_rule(const Json& spec, const Path& at, Report& report) {
  check_policy(spec, at, report);
  Unique names("this subset's name", report);
  each(spec, "subsets", at, [&](const Json& subset, const Path& subset_at) {
    names.add(std::string(text_of(subset, "name")), subset_at.at("name"));
    check_policy(subset, subset_at, report);
  });
}

void check_gateway(const Json& spec, const Path& at, Report& report) {
  if (spec["servers"].empty()) report.problem(at.at("servers"), "must have at least one server");
  Unique names("this port's name", report);
  std::vector<std::pair<std::int64_t, std::string_view>> seen;
  each(spec, "servers", at, [&](const Json& server, const Path& server_at) {
    Path port_at = server_at.at("port");
    const Json& port = server["port"];
    names.add(std::string(text_of(port, "name")), port_at.at("name"));
    if (server["hosts"].empty()) report.problem(server_at.at("hosts"), "must have at least one host");
    auto number = port["number"].get<std::int64_t>();
    for (auto [other, protocol] : seen)
      if (other == number && protocol != text_of(port, "protocol"))
        return report.problem(port_at.at("protocol"), shown(port["protocol"]) + ": port " +
                                                          std::to_string(number) + " is " +
                                                          std::string(protocol) + " in another server");
    seen.emplace_back(number, text_of(port, "protocol"));
  });
}

}  // namespace weft::api

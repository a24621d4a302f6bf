#include "api/istio/virtual_service.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "api/grpc_status.h"
#include "base/base64.h"
#include "base/strings.h"

namespace weft::api::istio {
namespace {

constexpr std::uint32_t kMaxStatus = 599;

/// The members of an HTTP match and of a TCP match that are the same.
MatchScope read_scope(Fields& fields, Place where) {
  MatchScope made;
  made.where = where;
  made.port = fields.port("port");
  made.gateways = fields.texts("gateways");
  made.source_labels = fields.labels("sourceLabels");
  return made;
}

std::vector<NamedMatch> read_named(Fields& fields, std::string_view name, bool& understood) {
  std::vector<NamedMatch> made;
  const Json* entries = fields.map(name);
  if (!entries) return made;
  made.reserve(entries->size());
  for (const auto& [key, value] : entries->items())
    made.push_back({key, read_string_match(value, understood)});
  return made;
}

/// Of a part of which there is one in each request: {} asks for nothing that could be told.
std::optional<StringMatch> read_only(Fields& fields, std::string_view name, bool& understood) {
  const Json* from = fields.map(name);
  if (!from) return std::nullopt;
  StringMatch made = read_string_match(*from, understood);
  if (made.form == StringMatch::Form::kPresent) understood = false;
  return made;
}

HttpMatch read_http_match(const Json& from, Place where) {
  Fields fields(from);
  bool parts = true;
  HttpMatch made{read_scope(fields, where), {}};
  RequestMatch& request = made.request;
  request.uri = read_only(fields, "uri", parts);
  request.scheme = read_only(fields, "scheme", parts);
  request.method = read_only(fields, "method", parts);
  request.authority = read_only(fields, "authority", parts);
  request.headers = read_named(fields, "headers", parts);
  request.without_headers = read_named(fields, "withoutHeaders", parts);
  request.query_params = read_named(fields, "queryParams", parts);
  request.ignore_uri_case = fields.flag("ignoreUriCase").value_or(false);
  fields.text("name");
  made.scope.understood = parts && fields.understood();
  return made;
}

MatchScope read_tcp_match(const Json& from, Place where) {
  Fields fields(from);
  MatchScope made = read_scope(fields, where);
  made.understood = fields.understood();
  return made;
}

/// Something that is no list of matches is one match that is not understood, and not a route without any.
template <class Read>
auto read_matches(Fields& fields, Place route, const Read& read) {
  const Json* from = fields.any("match");
  std::vector<decltype(read(*from, route))> made;
  if (!from) return made;
  if (!from->is_array()) {
    made.push_back(read(Json(), route.at(List::kMatch, 0)));
    return made;
  }
  made.reserve(from->size());
  for (std::size_t i = 0; i < from->size(); ++i) made.push_back(read((*from)[i], route.at(List::kMatch, i)));
  return made;
}

Destination read_destination(const Json& from) {
  Fields fields(from);
  Destination made{.host = fields.text("host"), .subset = fields.text("subset"), .port = 0};
  if (const Json* port = fields.map("port")) made.port = Fields(*port).port("number");
  return made;
}

HeaderOperations read_operations(const Json& from) {
  Fields fields(from);
  return {.set = fields.pairs("set"), .add = fields.pairs("add"), .remove = fields.texts("remove")};
}

HeaderChanges read_headers(Fields& owner) {
  HeaderChanges made;
  const Json* from = owner.map("headers");
  if (!from) return made;
  Fields fields(*from);
  if (const Json* request = fields.map("request")) made.request = read_operations(*request);
  if (const Json* response = fields.map("response")) made.response = read_operations(*response);
  return made;
}

std::vector<WeightedDestination> read_destinations(Fields& fields, Place route) {
  return fields.list("route", [&](const Json& from, std::size_t index) {
    Fields weighted(from);
    WeightedDestination made;
    made.where = route.at(List::kRoute, index);
    if (const Json* to = weighted.map("destination")) made.destination = read_destination(*to);
    made.weight = weighted.count("weight").value_or(0);
    made.headers = read_headers(weighted);
    return made;
  });
}

Retries read_retries(const Json& from) {
  Fields fields(from);
  Retries made;
  // As of Istio: its own objects leave a 0 out when they are written.
  made.attempts = fields.count("attempts").value_or(0);
  if (const std::string on = fields.text("retryOn"); !on.empty()) made.on = read_retry_on(on);
  made.per_try_timeout = fields.duration("perTryTimeout");
  made.backoff = fields.duration("backoff");
  return made;
}

Forward read_forward(Fields& fields, Place where) {
  Forward made;
  made.destinations = read_destinations(fields, where);
  made.timeout = fields.duration("timeout");
  if (const Json* retries = fields.map("retries")) made.retries = read_retries(*retries);
  if (const Json* from = fields.map("rewrite")) {
    Fields rewrite(*from);
    made.rewrite = {.uri = rewrite.text("uri"), .authority = rewrite.text("authority")};
  }
  return made;
}

Redirect read_redirect(const Json& from) {
  Fields fields(from);
  Redirect made;
  made.uri = fields.text("uri");
  made.authority = fields.text("authority");
  made.scheme = fields.text("scheme");
  made.port = fields.port("port");
  made.code = static_cast<std::uint16_t>(fields.integer("redirectCode", 0, kMaxStatus).value_or(made.code));
  return made;
}

DirectResponse read_direct_response(const Json& from) {
  Fields fields(from);
  DirectResponse made;
  made.status = static_cast<std::uint16_t>(fields.integer("status", 0, kMaxStatus).value_or(made.status));
  const Json* content = fields.map("body");
  if (!content) return made;
  Fields body(*content);
  if (auto text = body.optional_text("string")) made.body = Body{Body::Form::kText, *std::move(text)};
  if (const auto bytes = body.optional_text("bytes"))
    made.body = Body{Body::Form::kBytes, decode_base64(*bytes).value_or("")};
  return made;
}

/// Without one it is no request, as in Istio.
PerMillion read_share(Fields& fault) {
  constexpr double kPerPercent = 10'000, kAll = 100;
  double percent = static_cast<double>(fault.integer("percent", 0, 100).value_or(0));
  if (const Json* share = fault.map("percentage")) percent = Fields(*share).number("value").value_or(percent);
  return percent >= 0 && percent <= kAll ? static_cast<PerMillion>(std::lround(percent * kPerPercent)) : 0;
}

Fault read_fault(const Json& from) {
  Fields fields(from);
  Fault made;
  if (const Json* delay = fields.map("delay"); delay && !delay->empty()) {
    Fields parts(*delay);
    made.delay = Delay{.time = parts.duration("fixedDelay"), .share = read_share(parts)};
  }
  if (const Json* abort = fields.map("abort"); abort && !abort->empty()) {
    Fields parts(*abort);
    HttpStatus http;
    http.code = static_cast<std::uint16_t>(parts.integer("httpStatus", 0, kMaxStatus).value_or(http.code));
    made.abort = Abort{.status = http, .share = read_share(parts)};
    if (const auto code = grpc_status_number(parts.text("grpcStatus")))
      made.abort->status = GrpcStatus{*code};
  }
  return made;
}

HttpRoute read_http_route(const Json& from, Place where) {
  Fields fields(from);
  HttpRoute made;
  made.where = where;
  made.name = fields.text("name");
  made.matches = read_matches(fields, where, read_http_match);
  made.headers = read_headers(fields);
  if (const Json* redirect = fields.map("redirect"))
    made.action = read_redirect(*redirect);
  else if (const Json* direct = fields.map("directResponse"))
    made.action = read_direct_response(*direct);
  else
    made.action = read_forward(fields, where);
  if (const Json* fault = fields.map("fault")) made.fault = read_fault(*fault);
  return made;
}

TcpRoute read_tcp_route(const Json& from, Place where) {
  Fields fields(from);
  return {.where = where,
          .matches = read_matches(fields, where, read_tcp_match),
          .destinations = read_destinations(fields, where)};
}

}  // namespace

RetryOn read_retry_on(std::string_view text) {
  RetryOn made;
  for (std::string_view part : split(text, ',')) {
    part = trim(part);
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), code);
    if (error == std::errc() && end == part.data() + part.size())
      made.status_codes.push_back(code);
    else if (!part.empty())
      made.conditions.emplace_back(part);
  }
  return made;
}

const std::vector<WeightedDestination>& HttpRoute::destinations() const {
  static const std::vector<WeightedDestination> kNone;
  const auto* forward = std::get_if<Forward>(&action);
  return forward ? forward->destinations : kNone;
}

bool read_exported(Fields& spec) {
  const Json* to = spec.any("exportTo");
  return !to || !to->is_array() || to->empty() ||
         std::ranges::any_of(*to, [](const Json& ns) { return ns == "*"; });
}

VirtualService read_virtual_service(const Json& spec) {
  Fields fields(spec);
  const Place whole;
  VirtualService made;
  made.hosts = fields.texts("hosts");
  made.gateways = fields.texts("gateways");
  made.exported = read_exported(fields);
  made.http = fields.list("http", [&](const Json& from, std::size_t index) {
    return read_http_route(from, whole.at(List::kHttp, index));
  });
  made.tcp = fields.list("tcp", [&](const Json& from, std::size_t index) {
    return read_tcp_route(from, whole.at(List::kTcp, index));
  });
  return made;
}

}  // namespace weft::api::istio

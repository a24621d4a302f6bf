#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/fields.h"
#include "api/istio/string_match.h"
#include "api/place.h"

namespace weft::api::istio {

/// What of a request a match asks for. Parts that are absent ask for nothing.
struct RequestMatch {
  std::optional<StringMatch> uri, scheme, method, authority;
  std::vector<NamedMatch> headers, without_headers, query_params;
  bool ignore_uri_case = false;
  bool operator==(const RequestMatch&) const = default;
};

/// The part of a match that tells for which callers, port and gateways it holds.
struct MatchScope {
  Place where;
  /// False: it asks for something that is not read here. Then it holds for no request, since it would hold
  /// for too many (decision 31).
  bool understood = true;
  std::uint16_t port = 0;             ///< that the request was sent to; 0: any
  std::vector<std::string> gateways;  ///< as written; empty: all of the rule's
  Labels source_labels;
};

struct HttpMatch {
  MatchScope scope;
  RequestMatch request;
};

/// The host is as written: a short name means one in the rule's own namespace.
struct Destination {
  std::string host, subset;
  std::uint16_t port = 0;  ///< 0: the service's only one, or the one that the request was sent to
};

struct HeaderOperations {
  TextPairs set, add;
  std::vector<std::string> remove;
};
struct HeaderChanges {
  HeaderOperations request, response;
};

/// One of the destinations that a route shares its requests among.
struct WeightedDestination {
  Place where;
  Destination destination;
  std::uint32_t weight = 0;
  HeaderChanges headers;
};

/// An empty text changes nothing.
struct Rewrite {
  std::string uri, authority;
};

/// "gateway-error,503": conditions by name, status codes by number.
struct RetryOn {
  std::vector<std::string> conditions;
  std::vector<std::uint32_t> status_codes;
};
RetryOn read_retry_on(std::string_view text);

struct Retries {
  std::optional<std::uint32_t> attempts;  ///< 0: none
  std::optional<RetryOn> on;
  std::optional<std::chrono::milliseconds> per_try_timeout, backoff;
};

struct Forward {
  std::vector<WeightedDestination> destinations;
  Rewrite rewrite;
  std::optional<std::chrono::milliseconds> timeout;  ///< 0: none
  Retries retries;
};

/// An empty text and a port of 0 stay what they are in the request.
struct Redirect {
  std::string uri, authority, scheme;
  std::uint16_t port = 0;
  std::uint16_t code = 301;
};

struct Body {
  enum class Form : std::uint8_t { kText, kBytes };
  Form form = Form::kText;
  std::string content;  ///< of kBytes what the base64 of the rule stands for
};
struct DirectResponse {
  std::uint16_t status = 200;
  std::optional<Body> body;
};

using PerMillion = std::uint32_t;

struct Delay {
  std::optional<std::chrono::milliseconds> time;
  PerMillion share = 0;
};
struct HttpStatus {
  std::uint16_t code = 503;
};
struct GrpcStatus {
  int code = 0;
};
struct Abort {
  std::variant<HttpStatus, GrpcStatus> status;
  PerMillion share = 0;
};
struct Fault {
  std::optional<Delay> delay;
  std::optional<Abort> abort;
};

/// One entry of spec.http: what is done with the requests of its matches; without any with all.
struct HttpRoute {
  Place where;
  std::string name;
  std::vector<HttpMatch> matches;
  std::variant<Forward, Redirect, DirectResponse> action;  ///< a Forward to nothing when the rule says none
  std::optional<Fault> fault;
  HeaderChanges headers;
  /// Where it forwards to; of other actions nothing.
  const std::vector<WeightedDestination>& destinations() const;
};

/// One entry of spec.tcp. Its destinations have no headers.
struct TcpRoute {
  Place where;
  std::vector<MatchScope> matches;
  std::vector<WeightedDestination> destinations;
};

/// Istio's VirtualService, as its spec says it. Immutable once it is shared; any thread.
struct VirtualService {
  std::vector<std::string> hosts, gateways;  ///< as written
  std::vector<HttpRoute> http;
  std::vector<TcpRoute> tcp;
  bool exported = true;  ///< to other namespaces
};

/// Of any spec, checked or not: what is absent or wrong reads as absent, and places stay what they are. A
/// match that is wrong is there and not understood. A pure function; any thread.
VirtualService read_virtual_service(const Json& spec);

/// Whether exportTo lets other namespaces see the rule.
bool read_exported(Fields& spec);

}  // namespace weft::api::istio

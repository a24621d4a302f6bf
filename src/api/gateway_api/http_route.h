#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/fields.h"
#include "api/place.h"

namespace weft::api::gateway_api {

/// What a route hangs from. Fields that were not written stay apart from those that were: its status repeats
/// it.
struct ParentRef {
  Place where;
  std::optional<std::string> group, kind, ns;
  std::string name;
  std::optional<std::string> section;
  std::optional<std::uint16_t> port;
  bool operator==(const ParentRef&) const = default;
};
/// Of a spec or of a status.
ParentRef read_parent(const Json& from, Place where = {});
/// As it stands in a status.
Json to_json(const ParentRef& parent);

struct TextMatch {
  std::string name, value;
  bool is_pattern = false;  ///< RE2, of the whole text
};

struct PathMatch {
  enum class Type : std::uint8_t { kPrefix, kExact, kPattern };
  Type type = Type::kPrefix;
  std::string value = "/";
  bool is_prefix() const { return type == Type::kPrefix; }
  /// Of a prefix, without the slash at its end: "" for "/".
  std::string prefix() const;
};

struct RouteMatch {
  Place where;
  /// False: it asks for something that is not read here, and so holds for no request (decision 31).
  bool understood = true;
  PathMatch path;
  std::optional<std::string> method;
  std::vector<TextMatch> headers, query_params;
};

struct HeaderModifier {
  TextPairs set, add;  ///< of two with one name the later holds, in the place of the first
  std::vector<std::string> remove;
};
/// What filters do to the headers of a rule's, or a backend's, requests and responses.
struct HeaderFilters {
  HeaderModifier request, response;
};

struct ReplaceFullPath {
  std::string with;
};
struct ReplacePrefixMatch {
  std::string with;
};
using PathChange = std::variant<std::monostate, ReplaceFullPath, ReplacePrefixMatch>;

/// Empty texts and a port of 0 say nothing.
struct RequestRedirect {
  std::string scheme, host;
  std::uint16_t port = 0;
  std::uint16_t code = 302;
  PathChange path;
};
struct UrlRewrite {
  std::string host;
  PathChange path;
};

struct BackendRef {
  std::string group, kind, ns, name;
  std::uint16_t port = 0;
  std::uint32_t weight = 1;
  HeaderFilters headers;
};

struct RouteRule {
  Place where;
  std::vector<RouteMatch> matches;  ///< empty: every request
  HeaderFilters headers;
  std::optional<RequestRedirect> redirect;
  std::optional<UrlRewrite> rewrite;
  std::vector<BackendRef> backends;
  std::optional<std::chrono::milliseconds> timeout, backend_timeout;  ///< 0: none
};

/// The Gateway API's HTTPRoute, as its spec says it. Immutable once it is shared; any thread.
struct HttpRoute {
  std::vector<ParentRef> parents;
  std::vector<std::string> hosts;  ///< as written; empty: every host
  std::vector<RouteRule> rules;
};

/// Of any spec, checked or not: what is absent or wrong reads as absent, and places stay what they are. A
/// match that is wrong is there and not understood. A pure function; any thread.
HttpRoute read_http_route(const Json& spec);

}  // namespace weft::api::gateway_api

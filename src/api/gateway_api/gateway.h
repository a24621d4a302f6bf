#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/fields.h"
#include "api/place.h"
#include "api/selector.h"

namespace weft::api::gateway_api {

inline constexpr std::string_view kGroup = "gateway.networking.k8s.io";

/// A kind of route that a listener lets in.
struct RouteKind {
  std::optional<std::string> group;  ///< absent: kGroup
  std::string kind;
};

/// From which namespaces a listener takes routes.
struct RouteNamespaces {
  enum class From : std::uint8_t { kSame, kAll, kNone, kSelector };
  From from = From::kSame;
  std::optional<LabelSelector> selector;  ///< of kSelector; absent: one that is no selector, and lets in none
};

struct Listener {
  Place where;
  std::string name;
  std::string host;  ///< in lower case; "*" for every host
  std::uint16_t port = 0;
  std::string protocol;  ///< a word of the Gateway API's, or of an implementation's own
  RouteNamespaces namespaces;
  std::vector<RouteKind> kinds;  ///< empty: those that its protocol has
};

/// What is written on everything that is made for a Gateway.
struct Infrastructure {
  TextPairs labels, annotations;
};

/// The Gateway API's Gateway, as its spec says it. Immutable once it is shared; any thread.
struct Gateway {
  std::string class_name;
  std::vector<Listener> listeners;
  std::vector<std::string> addresses;  ///< their values
  std::optional<Infrastructure> infrastructure;
};

struct GatewayClass {
  std::string controller;
};

/// Of any spec, checked or not: what is absent or wrong reads as absent, and places stay what they are. Pure
/// functions; any thread.
Gateway read_gateway(const Json& spec);
GatewayClass read_gateway_class(const Json& spec);

}  // namespace weft::api::gateway_api

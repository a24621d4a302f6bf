#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/fields.h"
#include "api/place.h"

namespace weft::api::networking {

/// A Service of the Ingress's namespace, and its port by number (0: none is said) or by name.
struct Backend {
  std::string service;
  std::variant<std::uint16_t, std::string> port;
};

struct IngressPath {
  enum class Type : std::uint8_t { kExact, kPrefix };
  Place where;
  std::string path;  ///< what is matched: of a pattern the prefix that it means
  Type type = Type::kExact;
  std::optional<Backend> backend;
};
std::string_view to_string(IngressPath::Type type);

/// A path of type ImplementationSpecific, as Istio's gateway reads it.
struct OwnPath {
  std::string path;
  IngressPath::Type type = IngressPath::Type::kExact;
  bool is_pattern = false;  ///< it has signs of a pattern still, and they are matched as they stand
};
/// Nothing and a wildcard alone are every path; what ends with "/*" or ".*" is the prefix before it; anything
/// else is that very path.
OwnPath read_own_path(std::string_view written);

struct IngressRule {
  std::string host;  ///< in lower case; "*" for every host
  std::vector<IngressPath> paths;
};

/// Kubernetes' Ingress, as its spec says it. Immutable once it is shared; any thread.
struct Ingress {
  std::string class_name;
  std::optional<Backend> default_backend;
  std::vector<IngressRule> rules;
};

struct IngressClass {
  std::string controller;
};

/// Of any spec, checked or not: what is absent or wrong reads as absent, and places stay what they are. Pure
/// functions; any thread.
Ingress read_ingress(const Json& spec);
IngressClass read_ingress_class(const Json& spec);

}  // namespace weft::api::networking

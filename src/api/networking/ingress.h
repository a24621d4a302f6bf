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
  enum class Type : std::uint8_t { kImplementationSpecific, kExact, kPrefix };
  Place where;
  std::string path;
  Type type = Type::kImplementationSpecific;
  std::optional<Backend> backend;
};
std::string_view to_string(IngressPath::Type type);

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

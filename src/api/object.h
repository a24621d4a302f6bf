#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/json.h"

namespace weft::api {

/// What an API kind is called in its various places, and the versions of it that we read.
struct KindInfo {
  std::string_view group;       ///< "" for core, "apps", "networking.istio.io"
  std::string_view version;     ///< the version stored and shown, e.g. "v1"
  std::string_view kind;        ///< "VirtualService"
  std::string_view plural;      ///< "virtualservices"
  std::string_view singular;    ///< "virtualservice"
  std::string_view short_name;  ///< "vs", or empty
  bool namespaced = true;

  std::string api_version() const;  ///< "v1", "networking.istio.io/v1"
};

/// Every kind served, in a fixed order.
std::span<const KindInfo> kinds();
/// By apiVersion and kind as written in a file; older versions that we read (networking.istio.io/v1beta1,
/// extensions/v1beta1 Ingress ...) find the kind they are converted to. Null when it is not a kind of ours.
const KindInfo* find_kind(std::string_view api_version, std::string_view kind);
/// By what a person types: plural, singular, short name or kind, any letter case, optionally "plural.group".
/// Of several kinds with that name the first: "gateway" is Istio's, the Gateway API's is
/// "gateways.gateway.networking.k8s.io" or "gtw".
const KindInfo* find_kind_by_name(std::string_view typed);
/// By REST path parts.
const KindInfo* find_kind_by_plural(std::string_view group, std::string_view plural);
/// "deployments.apps", "services": what kubectl and errors call a type of resource.
std::string resource_name(const KindInfo& kind);

/// Which object: unique in a store.
struct Key {
  const KindInfo* kind = nullptr;
  std::string ns;  ///< empty for cluster-scoped kinds
  std::string name;
  auto operator<=>(const Key&) const = default;
  std::string to_string() const;  ///< "virtualservice default/reviews"
};

/// One API object. Immutable once it is in a store (ObjectPtr); any thread may read it.
struct Object {
  const KindInfo* kind = nullptr;
  Json body;  ///< the whole object with apiVersion, kind, metadata, spec, status

  Key key() const;
  std::string_view name() const;
  std::string_view ns() const;
  std::string_view uid() const;
  std::uint64_t resource_version() const;  ///< 0 when it was never stored
  std::uint64_t generation() const;
  std::string_view label(std::string_view key) const;       ///< empty when absent
  std::string_view annotation(std::string_view key) const;  ///< empty when absent
  std::map<std::string, std::string> labels() const;
  std::vector<std::string_view> annotation_keys() const;  ///< as they are written
  std::string_view created() const;                       ///< RFC 3339; empty when it was never stored
  /// body["spec"] / body["status"], or an empty object.
  const Json& spec() const;
  const Json& status() const;
};

/// Whether both are one object whose spec is the same, as generations tell: a status or metadata may differ.
bool same_spec(const Object& a, const Object& b);

using ObjectPtr = std::shared_ptr<const Object>;

}  // namespace weft::api

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/object.h"

namespace weft::store {

/// What a Kubernetes REST path names: "/apis/apps/v1/namespaces/default/deployments/reviews/status".
struct ApiPath {
  const api::KindInfo* kind = nullptr;
  std::string version;      ///< as asked for
  std::string ns;           ///< empty: all namespaces, or a cluster-scoped kind
  std::string name;         ///< empty: the collection
  std::string subresource;  ///< "status", "scale", "log" or empty
};

/// Nullopt when the path is not of a kind that we serve.
std::optional<ApiPath> parse_api_path(std::string_view path);
/// The path of a collection or object, as a client asks for it.
std::string api_path(const api::KindInfo& kind, std::string_view ns, std::string_view name = {},
                     std::string_view subresource = {});

}  // namespace weft::store

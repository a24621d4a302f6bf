#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/json.h"
#include "api/object.h"

namespace weft::install {

/// A kind that no API server has by itself, with the versions of it that we read, the stored one first.
struct CustomKind {
  const api::KindInfo* kind = nullptr;
  std::vector<std::string> versions;
  std::string name() const { return std::string(kind->plural) + "." + std::string(kind->group); }
};

inline constexpr std::string_view kGatewayApiGroup = "gateway.networking.k8s.io";

/// Those of api::kinds() that need a definition: Istio's, and Gateway API's if `gateway_api`.
std::vector<CustomKind> custom_kinds(bool gateway_api);

/// The CustomResourceDefinition (apiextensions.k8s.io/v1), its schemas made from the tables in api/schema.
/// Any thread.
api::Json custom_resource_definition(const CustomKind& kind);

}  // namespace weft::install

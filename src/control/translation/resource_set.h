#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft::control {

/// The four types of resource a proxy gets, in the order in which a change is sent.
enum class Type : std::uint8_t { kCluster, kEndpoint, kListener, kRoute };
inline constexpr std::size_t kTypes = 4;
inline constexpr std::array<Type, kTypes> kAllTypes = {Type::kCluster, Type::kEndpoint, Type::kListener,
                                                       Type::kRoute};
constexpr std::size_t index_of(Type type) { return static_cast<std::size_t>(type); }

std::string_view type_url(Type type);
/// "CDS", "EDS", "LDS", "RDS"
std::string_view short_name(Type type);

/// One serialized resource. Immutable and shared by every proxy that has the same one.
struct Resource {
  std::string bytes;
  std::vector<std::string> needs;  ///< a cluster: the endpoints it asks for; a listener: its route tables
};
using ResourcePtr = std::shared_ptr<const Resource>;

using Resources = std::map<std::string, ResourcePtr, std::less<>>;

/// Whether both have the same names with the same bytes.
bool same_resources(const Resources& a, const Resources& b);

/// Everything one proxy is to run. Immutable.
struct ResourceSet {
  std::array<Resources, kTypes> of;
  const Resources& operator[](Type type) const { return of[index_of(type)]; }
  Resources& operator[](Type type) { return of[index_of(type)]; }
};
using ResourceSetPtr = std::shared_ptr<const ResourceSet>;

}  // namespace weft::control

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

/// What both ends of xDS have to agree on about the types of resources; nothing of the data plane, and no
/// protobuf. A new type is a row of kResourceTypes.
namespace weft::xds {

/// In the order in which they are asked for and sent: make before break.
enum class Type : std::uint8_t { kCluster, kEndpoint, kListener, kRoute };

/// A set of types.
class Types {
 public:
  constexpr Types(std::initializer_list<Type> types) {
    for (const Type type : types) bits_ |= bit(type);
  }
  constexpr bool contains(Type type) const { return (bits_ & bit(type)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }

 private:
  static constexpr std::uint32_t bit(Type type) { return 1u << static_cast<unsigned>(type); }
  std::uint32_t bits_ = 0;
};

/// How resources of a type are asked for and taken.
struct ResourceType {
  Type type;
  std::string_view url;
  std::string_view short_name;
  /// A response has everything there is, and what it leaves out is gone. Otherwise it has some of what was
  /// asked for by name, and the rest stays as it is.
  bool complete;
  /// Of which types its resources name others. One that does is held back until those have come (warming).
  Types needs;
  /// When a whole configuration cannot be applied, types are suspected in this order.
  std::uint8_t suspected;
};

inline constexpr std::array kResourceTypes = {
    ResourceType{.type = Type::kCluster,
                 .url = "type.googleapis.com/envoy.config.cluster.v3.Cluster",
                 .short_name = "CDS",
                 .complete = true,
                 .needs = {Type::kEndpoint},
                 .suspected = 2},
    ResourceType{.type = Type::kEndpoint,
                 .url = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
                 .short_name = "EDS",
                 .complete = false,
                 .needs = {},
                 .suspected = 3},
    ResourceType{.type = Type::kListener,
                 .url = "type.googleapis.com/envoy.config.listener.v3.Listener",
                 .short_name = "LDS",
                 .complete = true,
                 .needs = {Type::kRoute},
                 .suspected = 0},
    ResourceType{.type = Type::kRoute,
                 .url = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
                 .short_name = "RDS",
                 .complete = false,
                 .needs = {},
                 .suspected = 1},
};
/// Of what stands in the place of a route table for a client that knows it: see route_table_change.proto.
inline constexpr std::string_view kTableChangeUrl = "type.googleapis.com/weft.xds.v1.RouteTableChange";
/// That a client knows it, in Node.client_features.
inline constexpr std::string_view kTableChangeFeature = "weft.dev/route-table-changes";

inline constexpr std::size_t kTypes = kResourceTypes.size();

constexpr std::size_t index_of(Type type) { return static_cast<std::size_t>(type); }
constexpr const ResourceType& row_of(Type type) { return kResourceTypes[index_of(type)]; }

/// "type.googleapis.com/envoy.config.cluster.v3.Cluster".
constexpr std::string_view type_url(Type type) { return row_of(type).url; }
/// "CDS", "EDS", "LDS", "RDS".
constexpr std::string_view short_name(Type type) { return row_of(type).short_name; }

/// Of the type with that URL, if there is one.
constexpr std::optional<Type> type_of(std::string_view url) {
  for (const ResourceType& row : kResourceTypes)
    if (row.url == url) return row.type;
  return std::nullopt;
}

/// A container for each type, in their order.
template <class T>
using PerType = std::array<T, kTypes>;

inline constexpr PerType<Type> kAllTypes = [] {
  PerType<Type> all{};
  for (std::size_t i = 0; i < kTypes; ++i) all[i] = kResourceTypes[i].type;
  return all;
}();

/// All types, the first suspect first.
inline constexpr PerType<Type> kSuspects = [] {
  PerType<Type> suspects{};
  for (const ResourceType& row : kResourceTypes) suspects[row.suspected] = row.type;
  return suspects;
}();

static_assert([] {
  for (std::size_t i = 0; i < kTypes; ++i)
    if (index_of(kResourceTypes[i].type) != i) return false;
  return true;
}());

}  // namespace weft::xds

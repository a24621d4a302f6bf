#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "proxy/config.h"

namespace weft::xds {

/// The four kinds of resources, in the order in which they are asked for and sent: make before break.
enum class Type : std::uint8_t { kCluster, kEndpoint, kListener, kRoute };
inline constexpr std::array kAllTypes = {Type::kCluster, Type::kEndpoint, Type::kListener, Type::kRoute};

/// "type.googleapis.com/envoy.config.cluster.v3.Cluster".
std::string_view type_url(Type type);
/// "CDS", "EDS", "LDS", "RDS".
std::string_view short_name(Type type);

/// Something a resource waits for before it can be used: a cluster its endpoints, a listener its route table.
struct Need {
  std::string name;
  /// After this long it goes without; zero: waits for ever.
  std::chrono::milliseconds timeout{15'000};
};

/// A resource as it came and as the data plane takes it. Immutable once made; any thread.
struct Resource {
  using Value =
      std::variant<std::shared_ptr<const proxy::ClusterConfig>, std::shared_ptr<const proxy::Endpoints>,
                   std::shared_ptr<const proxy::ListenerConfig>, std::shared_ptr<const proxy::RouteTable>>;
  std::string name;
  Value value;
  std::vector<Need> needs;
  /// What a control plane asked for that we do not do, each with its path; never of a static resource.
  std::vector<std::string> left_out;

  /// Parts that could not be converted, each with its path: such a route answers 500, and every other one is
  /// in force. Never of a static resource.
  std::vector<std::string> rejected;

  std::string bytes;    ///< the message as it came
  std::string version;  ///< version_info of the response it came in; empty for static ones
  std::chrono::system_clock::time_point updated;

  template <class T>
  const std::shared_ptr<const T>& as() const {
    return std::get<std::shared_ptr<const T>>(value);
  }
};

using ResourcePtr = std::shared_ptr<const Resource>;

/// The name of the resource in `bytes`, as far as it can be read: for telling which one is refused.
std::string name_in(Type type, std::string_view bytes);

/// Turns a message that a control plane sent into what the data plane runs. `version` and `updated` are left
/// to the caller. Errors begin with the path of the field.
Result<std::shared_ptr<Resource>> decode(Type type, std::string bytes);

}  // namespace weft::xds

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "control/object_snapshot.h"
#include "control/registry.h"

namespace weft::control {

inline constexpr std::string_view kGatewayApiGroup = api::gateway_api::kGroup;
inline constexpr std::string_view kGatewayClass = "istio";
inline constexpr std::string_view kGatewayController = "istio.io/gateway-controller";
/// On pods that serve one Gateway and nothing else.
inline constexpr std::string_view kGatewayNameLabel = "gateway.networking.k8s.io/gateway-name";

/// What one condition of a status is to say, but for its time.
struct Finding {
  bool good = true;
  std::string_view reason;
  std::string message;
};

/// A Service that an HTTPRoute sends to. When it cannot be used, requests for it get 500 and `found` says
/// why.
struct ApiBackend {
  std::string host;
  std::uint16_t port = 0;
  Finding found;
};

/// One parentRef of a route that is for us to answer.
struct ApiParent {
  const api::gateway_api::ParentRef* reference = nullptr;
  Finding accepted;
};

/// A rule of a route that cannot be served as it is written.
struct ApiDroppedRule {
  std::string why;
  /// What it asks for is known, and not what is to be done: such requests get 500. Else no request can be
  /// told to be its own, and it is as if it were not there.
  bool matches = true;
};

struct ApiRoute {
  api::ObjectPtr object;
  std::shared_ptr<const api::gateway_api::HttpRoute> spec;
  std::vector<ApiParent> parents;
  Finding resolved;    ///< of all its backends; the first that cannot be used
  Finding valid = {};  ///< bad: what stands outside of its rules, or every rule, cannot be served
  bool serves = true;  ///< false: something outside of its rules is wrong, and none of them is served
  std::map<std::size_t, ApiDroppedRule> dropped = {};  ///< by index
};

/// A route at a listener, with the hosts that both have in common; "*" is every host.
struct ApiAttachment {
  const ApiRoute* route = nullptr;
  std::vector<std::string> domains;
};

struct ApiListener {
  const api::gateway_api::Listener* spec = nullptr;
  Finding accepted, resolved;
  bool is_http = true;  ///< no kind of route belongs to another protocol here
  Finding conflict;     ///< good: none
  bool takes_http_routes = true;
  std::vector<ApiAttachment> attached;
  bool serves() const { return accepted.good && conflict.good && takes_http_routes; }
};

struct ApiGateway {
  api::ObjectPtr object;
  std::shared_ptr<const api::gateway_api::Gateway> spec;
  Finding valid;  ///< bad: something that is no listener's cannot be done, and nothing is served
  std::vector<ApiListener> listeners;
};

/// The Gateway API's objects of our class, read together: which route is at which listener, and what their
/// statuses have to say. Routing and statuses come from the same reading, so they cannot differ. Immutable;
/// lives no longer than the registry and snapshot it was made from.
class GatewayApi {
 public:
  GatewayApi(const ObjectSnapshot& snapshot, const Registry& registry);
  GatewayApi(const GatewayApi&) = delete;
  GatewayApi& operator=(const GatewayApi&) = delete;

  const std::vector<ApiGateway>& gateways() const { return gateways_; }  ///< by namespace, then name
  const std::vector<ApiRoute>& routes() const { return routes_; }        ///< oldest first
  /// What `reference` of an HTTPRoute in `ns` means.
  ApiBackend backend(const api::gateway_api::BackendRef& reference, std::string_view ns) const;

 private:
  void read_gateways();
  void read_routes();
  ApiGateway read_gateway(const Typed<api::gateway_api::Gateway>& from) const;
  Finding attach(const ApiRoute& route, const api::gateway_api::ParentRef& parent, ApiGateway& gateway);
  bool admits(const ApiListener& listener, const ApiGateway& gateway, std::string_view ns) const;
  bool granted(std::string_view from_ns, std::string_view to_ns, std::string_view name) const;
  void read_parent(ApiRoute& route, const api::gateway_api::ParentRef& parent);
  Finding resolve_all(const api::gateway_api::HttpRoute& route, std::string_view ns) const;

  const ObjectSnapshot& snapshot_;
  const Registry& registry_;
  std::vector<ApiGateway> gateways_;
  std::vector<ApiRoute> routes_;
};

/// Whether objects of this class are ours: its GatewayClass names our controller.
bool is_our_class(const ObjectSnapshot& snapshot, std::string_view name);
/// The Service that a Gateway's first address names; its host is empty when the Gateway gives no address.
std::string address_service(const Registry& registry, const ApiGateway& gateway);

}  // namespace weft::control

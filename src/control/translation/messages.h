#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "control/registry.h"
#include "control/translation/resource_set.h"
#include "xds/proto/cluster.pb.h"
#include "xds/proto/endpoint.pb.h"
#include "xds/proto/extensions.h"
#include "xds/proto/listener.pb.h"
#include "xds/proto/route.pb.h"

/// Small makers of Envoy messages that several files of this folder use. Include it only in .cc files: it is
/// heavy.
namespace weft::control {

namespace core = envoy::config::core::v3;
namespace cluster = envoy::config::cluster::v3;
namespace endpoint = envoy::config::endpoint::v3;
namespace listener = envoy::config::listener::v3;
namespace route = envoy::config::route::v3;
namespace hcm = envoy::extensions::filters::network::http_connection_manager::v3;
namespace tcp_proxy = envoy::extensions::filters::network::tcp_proxy::v3;

inline constexpr std::string_view kPassthrough = "PassthroughCluster";
inline constexpr std::string_view kInboundPassthrough = "InboundPassthroughCluster";
inline constexpr std::string_view kBlackHole = "BlackHoleCluster";
inline constexpr std::string_view kFaultFilter = "envoy.filters.http.fault";

/// "outbound|9080|v1|reviews.default.svc.cluster.local"
std::string outbound_cluster(std::uint16_t port, std::string_view subset, std::string_view host);
/// "inbound|9080||"
std::string inbound_cluster(std::uint16_t port);

void set_duration(google::protobuf::Duration& into, std::chrono::milliseconds duration);
/// How long a response may take (0: as long as it likes), and that what a call says of itself counts too.
void set_timeout(route::RouteAction& into, std::chrono::milliseconds timeout);
void set_address(core::Address& into, std::string_view ip, std::uint32_t port);
/// All addresses of a proxy's pod: 0.0.0.0, and with `ipv6` :: before it. Two sockets rather than one for
/// both, which would not know IPv4's original destinations.
void set_all_addresses(listener::Listener& into, std::uint32_t port, bool ipv6);
void set_ads(core::ConfigSource& into);
/// The same message gives the same bytes, maps included.
std::string serialize(const google::protobuf::Message& message);

enum class Side : std::uint8_t { kOutbound, kInbound, kGateway };
/// An HTTP connection manager without routes.
hcm::HttpConnectionManager make_http_manager(Side side, std::string_view stat_prefix);
/// Makes gRPC of grpc-web, before anything else looks at requests.
void add_grpc_web(hcm::HttpConnectionManager& manager);
void set_rds(hcm::HttpConnectionManager& manager, std::string_view name);
void add_http_filter(listener::FilterChain& chain, const hcm::HttpConnectionManager& manager);
/// A TCP proxy to one cluster, with the access log.
void add_tcp_filter(listener::FilterChain& chain, std::string_view cluster_name);
void add_tcp_filter(listener::FilterChain& chain, const tcp_proxy::TcpProxy& proxy);
tcp_proxy::TcpProxy make_tcp_proxy(std::string_view stat_prefix);
/// Listener filters that learn the original destination, or look whether HTTP is spoken.
void add_original_destination(listener::Listener& into);
/// `only_ports`: the destination ports where it looks; empty: everywhere.
void add_http_inspector(listener::Listener& into, std::span<const std::uint16_t> only_ports = {});
/// Only connections where the inspector saw HTTP, of whatever version.
void match_http(listener::FilterChain& chain);
/// Only connections to these IP addresses.
void match_addresses(listener::FilterChain& chain, std::span<const std::string> addresses);

}  // namespace weft::control

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/config.h"
#include "xds/alike.h"
#include "xds/conversion.h"
#include "xds/proto/accesslog.pb.h"
#include "xds/proto/cluster.pb.h"
#include "xds/proto/core.pb.h"
#include "xds/proto/endpoint.pb.h"
#include "xds/proto/extensions.h"
#include "xds/proto/listener.pb.h"
#include "xds/proto/matcher.pb.h"
#include "xds/proto/route.pb.h"
#include "xds/resource.h"

/// From Envoy's messages to the data plane's structs, one function a message. All are pure; errors begin with
/// the path of the field. Heavy header: .cc files of this room only.
namespace weft::xds {

namespace core = envoy::config::core::v3;
namespace route = envoy::config::route::v3;
namespace listener = envoy::config::listener::v3;
namespace cluster = envoy::config::cluster::v3;
namespace endpoint = envoy::config::endpoint::v3;
namespace accesslog = envoy::config::accesslog::v3;
namespace matcher = envoy::type::matcher::v3;
namespace http_manager = envoy::extensions::filters::network::http_connection_manager::v3;
namespace tcp_proxy = envoy::extensions::filters::network::tcp_proxy::v3;

/// The upgrade_type of tunnels, in lower case as all are kept: its requests say it by their method.
inline constexpr std::string_view kConnectUpgrade = "connect";

// convert_text.cc: what will stand in messages is checked where it enters.
/// RFC 9110 §5.6.2: the name of a header, a method, a protocol.
bool is_token(std::string_view text);
/// RFC 9110 §5.5: no line ends, no other control bytes.
Result<void> expect_field_value(std::string_view text, const Path& path);
/// Every operator in it is known and closed.
Result<void> expect_format(std::string_view text, const Path& path);
/// A path and query, or a part of one, as it stands in a request line (RFC 9112 §3.2).
Result<void> expect_target(std::string_view text, const Path& path);
Result<void> expect_authority(std::string_view text, const Path& path);

// convert_common.cc
Result<net::Address> to_address(const core::Address& from, const Path& path);
Result<net::Address> to_address(const core::SocketAddress& from, const Path& path);
Result<proxy::RegexPtr> to_regex(const matcher::RegexMatcher& from, const Path& path);
Result<proxy::StringMatch> to_string_match(const matcher::StringMatcher& from, const Path& path);
/// What is not said stays as it is in `into`.
Result<void> read_http2_options(const core::Http2ProtocolOptions& from, http::Http2Limits& into,
                                const Path& path);
/// The header lists of a message that has all four fields of them.
using Added = google::protobuf::RepeatedPtrField<core::HeaderValueOption>;
using Removed = google::protobuf::RepeatedPtrField<std::string>;
Result<proxy::HeaderChanges> to_header_changes(const Added& added, const Removed& removed,
                                               std::string_view which, const Path& path);
Result<std::vector<proxy::AccessLogConfig>> to_access_logs(
    const google::protobuf::RepeatedPtrField<accesslog::AccessLog>& from, const Path& path,
    Conversion& conversion);
/// HTTP/1 holds one block of 16 KiB in each direction, whatever the limit: one that is smaller is not taken,
/// and `into` stays.
Result<void> read_buffer_limit(std::uint32_t bytes, std::uint32_t& into, const Path& path,
                               Conversion& conversion);
/// Over ADS, or an error: the only source there is.
Result<void> expect_ads(const core::ConfigSource& source, const Path& path);
/// How long a cluster or listener waits for what it needs; 15 s when the source does not say, "forever" when
/// it says 0.
Result<proxy::Milliseconds> fetch_timeout(const core::ConfigSource& source, const Path& path);

// convert_route.cc
using RetryPolicies = Alike<proxy::RetryPolicy>;
/// What the routes of one table share.
struct TableScope {
  std::size_t max_direct_body;
  Conversion& conversion;
  RetryPolicies& policies;
};
/// Unless it is strict, a host of which something is wrong beside its routes responds with 500.
Result<proxy::VirtualHost> to_host_or_closed(const route::VirtualHost& from, const Path& path,
                                             const TableScope& scope);

// convert_table.cc; see convert_table.h too
Result<proxy::RouteTable> to_route_table(const route::RouteConfiguration& from, const Path& path,
                                         Conversion& conversion);

// convert_match.cc
Result<proxy::HeaderMatch> to_header_match(const route::HeaderMatcher& from, const Path& path);
Result<proxy::RouteMatch> to_route_match(const route::RouteMatch& from, const Path& path);
std::uint32_t per_million(const envoy::type::v3::FractionalPercent& from);

// convert_http.cc
struct HttpChain {
  proxy::HttpConfig config;
  std::vector<Need> needs;
};
Result<HttpChain> to_http(const http_manager::HttpConnectionManager& from, const Path& path,
                          Conversion& conversion);

// convert_listener.cc
struct MadeListener {
  proxy::ListenerConfig config;
  std::vector<Need> needs;
};
Result<MadeListener> to_listener(const listener::Listener& from, const Path& path, Conversion& conversion);

// convert_cluster.cc
struct MadeCluster {
  proxy::ClusterConfig config;
  std::vector<Need> needs;
};
Result<MadeCluster> to_cluster(const cluster::Cluster& from, const Path& path, Conversion& conversion);
Result<proxy::Endpoints> to_endpoints(const endpoint::ClusterLoadAssignment& from, const Path& path,
                                      Conversion& conversion);

}  // namespace weft::xds

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "http/limits.h"
#include "http/protocol.h"
#include "net/address.h"
#include "net/transport.h"
#include "proxy/endpoint_address.h"
#include "proxy/filters/filter_config.h"
#include "proxy/named_list.h"
#include "proxy/rare_optional.h"
#include "proxy/rare_vector.h"
#include "proxy/text.h"
#include "proxy/text_list.h"

namespace re2 {
class RE2;
}

/// What the data plane runs on: plain structs, immutable once in a Snapshot, shared by every worker. The xds
/// room makes them from Envoy resources; nothing here knows protobuf, YAML or a file.
namespace weft::proxy {

using Milliseconds = std::chrono::milliseconds;

// matching

/// Compiled once, matched on any thread. The pattern must match the whole text (RE2::FullMatch).
using RegexPtr = std::shared_ptr<const re2::RE2>;

struct StringMatch {
  enum class Kind : std::uint8_t { kExact, kPrefix, kSuffix, kContains, kRegex, kPresent };
  Kind kind = Kind::kExact;
  bool ignore_case = false;
  std::string text;
  RegexPtr regex;
  bool operator==(const StringMatch&) const = default;
};

/// A header, or one of ":method", ":authority", ":scheme", ":path".
struct HeaderMatch {
  std::string name;  ///< lower case
  StringMatch match;
  bool invert = false;
  bool treat_missing_as_empty = false;
  bool operator==(const HeaderMatch&) const = default;
};

struct QueryMatch {
  std::string name;
  StringMatch match;
};

struct PathMatch {
  /// kConnect: requests without a path, which are those of CONNECT. No other kind takes them.
  enum class Kind : std::uint8_t { kPrefix, kExact, kRegex, kSeparatedPrefix, kConnect };
  Kind kind = Kind::kPrefix;
  bool ignore_case = false;
  std::string text = "/";
  RegexPtr regex;  ///< matched against the path without its query
};

struct RouteMatch {
  PathMatch path;
  RareVector<HeaderMatch> headers;
  RareVector<QueryMatch> query;
  std::optional<std::uint32_t> runtime_fraction_per_million;
};

// header changes

struct HeaderChange {
  enum class Action : std::uint8_t { kAppend, kAddIfAbsent, kOverwriteOrAdd, kOverwriteIfExists };
  std::string name;
  /// May hold the access log's operators, e.g. "%DOWNSTREAM_REMOTE_ADDRESS%"; literal text otherwise.
  std::string value;
  Action action = Action::kAppend;
  bool keep_empty = false;
};

struct HeaderChanges {
  RareVector<HeaderChange> add;
  RareVector<std::string> remove;
  bool empty() const { return add.empty() && remove.empty(); }
};

// routes

struct RetryPolicy {
  bool connect_failure = false;
  bool reset = false;
  bool reset_before_request = false;  ///< the server never took the request
  bool refused_stream = false;        ///< the server said so (HTTP/2)
  bool five_xx = false;
  bool gateway_error = false;
  bool retriable_4xx = false;
  bool retriable_status_codes = false;
  bool retriable_headers = false;
  bool rate_limited = false;        ///< also responses with "x-envoy-ratelimited", which else are final
  std::uint32_t grpc_statuses = 0;  ///< bit n: responses with "grpc-status: n"
  std::vector<int> status_codes;
  std::vector<HeaderMatch> response_headers;  ///< for retriable_headers: one of them matches
  std::uint32_t retries = 1;
  Milliseconds per_try_timeout{0};  ///< 0: none of its own
  Milliseconds base_interval{25};
  Milliseconds max_interval{250};
  bool operator==(const RetryPolicy&) const = default;
};

/// Equal ones of a table are one object, as far as their maker sees that they are; null: none.
using RetryPolicyPtr = std::shared_ptr<const RetryPolicy>;

struct WeightedCluster {
  Text cluster;
  std::uint32_t weight = 0;
  HeaderChanges request_headers;
  HeaderChanges response_headers;
  Text host_rewrite = {};  ///< instead of the route's
};

/// How a route goes by the grpc-timeout of its calls.
struct GrpcTimeout {
  Milliseconds max{0};     ///< a longer one is cut to this; 0: none is
  Milliseconds offset{0};  ///< taken off it
};

struct ForwardAction {
  std::vector<WeightedCluster> clusters;    ///< one for a plain cluster; weights count relative to their sum
  Text cluster_header;                      ///< when not empty the request's header names the cluster
  std::optional<Milliseconds> timeout;      ///< whole response; nullopt: 15 s; 0: none
  Milliseconds max_duration{0};             ///< from the request's head to the response's end; 0: no limit
  RareOptional<GrpcTimeout> grpc_duration;  ///< for calls with a grpc-timeout: that instead of max_duration
  RareOptional<GrpcTimeout> grpc_response;  ///< for calls: grpc-timeout, or its max, instead of `timeout`
  RareOptional<Milliseconds> idle_timeout;
  RetryPolicyPtr retry;
  Text prefix_rewrite;
  RegexPtr regex_rewrite;
  Text regex_substitution;
  Text host_rewrite;
  RareVector<std::string> upgrades;  ///< lower case, e.g. "websocket"; beside those of the listener
  /// What becomes of a CONNECT (RFC 9110 §9.3.6): kForward: the endpoint makes the tunnel; kTerminate: it
  /// goes to a TCP connection to the endpoint; kAsListener: forwarded, where HttpConfig::connect allows it.
  enum class Connect : std::uint8_t { kAsListener, kForward, kTerminate };
  Connect connect = Connect::kAsListener;
  bool append_x_forwarded_host = false;
  int cluster_not_found_status = 503;
};

struct RedirectAction {
  std::string host, path, prefix_rewrite, scheme;
  std::optional<std::uint16_t> port;
  int status = 301;
  bool strip_query = false;
};

struct DirectAction {
  int status = 200;
  std::string body;
};

struct Route {
  Text name;
  RouteMatch match;
  RareVector<NamedHttpFilter> filters;  ///< instead of the chain's of the same names
  std::variant<ForwardAction, RedirectAction, DirectAction> action;
  HeaderChanges request_headers;
  HeaderChanges response_headers;
  Text decorator_operation;
};

struct VirtualHost {
  Text name;
  TextList domains;           ///< exact, "*.suffix", "prefix.*", or "*"; with or without port
  std::vector<Route> routes;  ///< tried in order
  HeaderChanges request_headers;
  HeaderChanges response_headers;
  bool include_attempt_count = false;
  bool require_tls = false;  ///< plain requests are redirected to https
};

/// The virtual hosts of a table, in order. Each is immutable, and shared by the versions of the table that
/// have it. A value.
class VirtualHosts {
 public:
  using Ptr = std::shared_ptr<const VirtualHost>;

  std::size_t size() const { return list_.size(); }
  bool empty() const { return list_.empty(); }
  const VirtualHost& operator[](std::size_t index) const { return *list_[index]; }
  const VirtualHost& at(std::size_t index) const { return *list_.at(index); }
  /// Puts a copy in its place, to be changed before anything else is done with the list.
  VirtualHost& edit(std::size_t index) {
    auto copy = std::make_shared<VirtualHost>(*list_.at(index));
    VirtualHost& host = *copy;
    list_[index] = std::move(copy);
    return host;
  }
  void push_back(VirtualHost host) { list_.push_back(std::make_shared<const VirtualHost>(std::move(host))); }
  void push_back(Ptr host) { list_.push_back(std::move(host)); }
  void reserve(std::size_t hosts) { list_.reserve(hosts); }
  const std::vector<Ptr>& shared() const { return list_; }

 private:
  std::vector<Ptr> list_;
};

struct RouteTable {
  std::string name;
  VirtualHosts hosts;
  HeaderChanges request_headers;
  HeaderChanges response_headers;
  bool ignore_port_in_host = false;
};

// access log

struct AccessLogConfig {
  std::string path;    ///< "/dev/stdout", "/dev/stderr" or a file, appended to
  std::string format;  ///< Envoy's text format with operators; empty: Istio's default line
  std::vector<std::string>
      only_with_flags;  ///< write only requests with one of these response flags ("NR" ...)
  bool filter_by_flags = false;
};

// listeners

/// How the bytes of a connection go over the wire; null: as they are. The code that makes one gives equal
/// settings the same pointer: a cluster whose pointer changes begins with new connections.
using TransportPtr = std::shared_ptr<const net::Transport>;

struct TcpProxyConfig {
  std::string stat_prefix;
  std::vector<WeightedCluster> clusters;
  Milliseconds idle_timeout{3'600'000};  ///< 0: none
  std::vector<AccessLogConfig> access_logs;
};

struct HttpConfig {
  std::string stat_prefix;
  http::Protocol codec = http::Protocol::kAuto;  ///< what clients may speak
  http::Http2Limits http2;
  Milliseconds drain_timeout{5'000};              ///< HTTP/2: from the first GOAWAY to the last
  std::string route_table_name;                   ///< by RDS when `route_table` is null
  std::shared_ptr<const RouteTable> route_table;  ///< inline
  bool use_remote_address =
      false;  ///< an edge: x-forwarded-for appended, mesh headers from outside sanitized
  std::uint32_t trusted_hops = 0;
  bool generate_request_id = true;
  bool preserve_external_request_id = false;
  bool accept_http10 = true;
  bool normalize_path = false;  ///< RFC 3986 §6.2.2, before anything else looks at the path
  bool merge_slashes = false;
  /// What becomes of %2F and %5C in a path, before it is normalized.
  enum class EscapedSlashes : std::uint8_t { kKeep, kReject, kUnescapeAndRedirect, kUnescapeAndForward };
  EscapedSlashes escaped_slashes = EscapedSlashes::kKeep;
  std::string server_name = "envoy";
  enum class ServerHeader : std::uint8_t { kOverwrite, kAppendIfAbsent, kPassThrough };
  ServerHeader server_header = ServerHeader::kOverwrite;
  std::vector<std::string> upgrades;
  bool connect = false;                       ///< routes may take CONNECT without saying so
  Milliseconds idle_timeout{3'600'000};       ///< between requests; 0: none
  Milliseconds stream_idle_timeout{300'000};  ///< no byte in either direction of a request; 0: none
  /// With stream_idle_timeout 0: for bytes that a peer does not take, and for the rest of a body that it has
  /// begun. Streams in which nothing waits to be moved go on.
  Milliseconds stall_timeout{300'000};
  Milliseconds request_timeout{0};               ///< whole request received; 0: none
  Milliseconds request_headers_timeout{10'000};  ///< from the first byte to the end of the head
  std::uint32_t max_request_headers_bytes = 60 * 1024;
  std::uint32_t max_request_headers_count = 100;
  std::uint32_t max_requests_per_connection = 0;  ///< 0: no limit
  bool tracing = false;                           ///< create B3 / W3C headers when absent
  double random_sampling_percent = 100;
  std::vector<AccessLogConfig> access_logs;
  HttpFilterConfigs filters;  ///< in order, before the router
  bool suppress_envoy_headers = false;
};

struct FilterChainMatch {
  std::optional<std::uint16_t> destination_port;
  struct Prefix {
    net::Address address;
    std::uint32_t length;
  };
  std::vector<Prefix> destination_prefixes;
  std::vector<std::string> server_names;
  std::string transport_protocol;                  ///< "", "raw_buffer" or "tls"
  std::vector<std::string> application_protocols;  ///< "http/1.1", "h2c" ... by sniffing
};

struct FilterChain {
  std::string name;
  FilterChainMatch match;
  TransportPtr transport;  ///< of connections from clients
  std::variant<HttpConfig, TcpProxyConfig> filter;
};

enum class Direction : std::uint8_t { kUnspecified, kInbound, kOutbound };

/// Ports from `first` to `last`, both included.
struct PortRange {
  std::uint16_t first = 0, last = 0;
  bool operator==(const PortRange&) const = default;
};

struct ListenerConfig {
  std::string name;
  net::Address address;
  std::vector<net::Address> additional_addresses;
  bool ipv4_compatible =
      false;  ///< a socket of :: takes IPv4 too; it then knows no original destination of it
  bool bind_to_port = true;
  std::uint32_t buffer_limit = 1024 * 1024;  ///< bytes of a tunnel's direction, and of a body for retries
  bool use_original_destination =
      false;  ///< hand connections to the listener of their original destination, if there is one
  bool original_destination_filter =
      false;                ///< learn the original destination for matching and ORIGINAL_DST clusters
  bool sniff_http = false;  ///< an http_inspector is there: application_protocols may be matched
  bool sniff_tls = false;
  /// Destination ports where the inspector is switched off: sorted, apart from each other.
  std::vector<PortRange> sniff_http_off, sniff_tls_off;
  /// How long a client may say nothing before the choice of a chain goes on without it, or the connection
  /// ends; 0: forever.
  Milliseconds sniff_timeout{15'000};
  bool continue_on_sniff_timeout = false;
  bool transparent = false;
  Direction direction = Direction::kUnspecified;
  std::vector<FilterChain> chains;
  std::optional<FilterChain> default_chain;
  std::vector<AccessLogConfig> access_logs;  ///< for connections that match no chain
};

// clusters

/// kDegraded: for what healthy ones cannot take. The others: only in panic, see ClusterConfig.
enum class Health : std::uint8_t { kHealthy, kDegraded, kUnhealthy, kDraining };

struct Endpoint {
  EndpointAddress address;
  std::uint32_t weight = 1;
  Health health = Health::kHealthy;
  Text hostname;
};

/// Priorities decide, and weights where ClusterConfig says so. Its name does not, and is not kept.
struct Locality {
  std::uint32_t priority = 0;  ///< 0 is used first
  std::uint32_t weight = 0;    ///< 0: gets nothing while another of its priority has a weight
  std::vector<Endpoint> endpoints;
};

/// Scales the part of a priority or locality that is healthy to what it can take of the requests: at 140 a
/// priority of which 72 % are healthy can take all.
inline constexpr std::uint32_t kOverprovisioningPercent = 140;

struct Endpoints {
  Text name;
  std::vector<Locality> localities;
  std::uint32_t overprovisioning_percent = kOverprovisioningPercent;
};

struct ClusterConfig {
  enum class Discovery : std::uint8_t { kStatic, kEds, kStrictDns, kLogicalDns, kOriginalDestination };
  enum class Balance : std::uint8_t { kRoundRobin, kLeastRequest, kRandom, kClusterProvided };
  std::string name;
  Text alt_stat_name;
  Discovery discovery = Discovery::kStatic;
  Text eds_name;                               ///< of a kEds cluster's endpoints; its own name when empty
  std::shared_ptr<const Endpoints> endpoints;  ///< static ones; those of a kEds cluster are in the Snapshot
  Balance balance = Balance::kRoundRobin;
  std::uint32_t least_request_choices = 2;
  /// Panic: when fewer of a priority's endpoints are healthy or degraded, and the others have no room for
  /// what it cannot take, all of them are used. 0: never.
  std::uint32_t panic_threshold_percent = 50;
  bool locality_weights = false;  ///< requests of a priority are shared out by its localities' weights
  Milliseconds connect_timeout{5'000};
  Milliseconds idle_timeout{3'600'000};  ///< of a pooled connection; 0: none
  std::uint32_t max_requests_per_connection = 0;
  /// Connections come from the first that is of the endpoint's family, from the first of all when none is.
  RareVector<net::Address> bind_sources;
  TransportPtr transport;                    ///< of connections to endpoints
  std::uint32_t buffer_limit = 1024 * 1024;  ///< as of a listener
  /// What endpoints speak; kAsDownstream: whatever the request came by.
  enum class Spoken : std::uint8_t { kHttp1, kHttp2, kAsDownstream };
  Spoken spoken = Spoken::kHttp1;
  http::Http2Limits http2;
  /// Limits of the whole process.
  std::uint32_t max_connections = 1024;
  std::uint32_t max_pending_requests = 1024;
  std::uint32_t max_requests = 1024;
  std::uint32_t max_retries = 3;
  Milliseconds dns_refresh{5'000};
  bool dns_ttl_decides = false;  ///< names are asked for again when their answers end, not after dns_refresh
  enum class DnsFamily : std::uint8_t { kAny, kV4Only, kV6Only, kV4Preferred };
  DnsFamily dns_family = DnsFamily::kAny;
  /// A name whose addresses are endpoints, each with what is said of the name.
  struct DnsHost {
    std::string name;
    std::uint16_t port = 0;
    std::uint32_t weight = 1;
    std::uint32_t priority = 0;
    Health health = Health::kHealthy;
    std::uint32_t locality = 0;  ///< hosts with the same number are of one locality, of this weight
    std::uint32_t locality_weight = 0;
    bool operator==(const DnsHost&) const = default;
  };
  std::vector<DnsHost> dns_hosts;                                         ///< for kStrictDns and kLogicalDns
  std::uint32_t dns_overprovisioning_percent = kOverprovisioningPercent;  ///< of their endpoints
};

// the whole

/// Everything one proxy runs, at one moment. Made on the main thread, swapped whole into each worker; a
/// request keeps the snapshot it began with.
struct Snapshot {
  std::uint64_t generation = 0;
  std::map<std::string, std::shared_ptr<const ListenerConfig>> listeners;
  std::map<std::string, std::shared_ptr<const RouteTable>> route_tables;  ///< those fetched by name
  NamedList<ClusterConfig> clusters;
  NamedList<Endpoints> endpoints;  ///< of kEds clusters, by the name that they ask for

  /// Those of a cluster that has any: its own, or the last EDS response. Null while none has come.
  std::shared_ptr<const Endpoints> endpoints_of(const ClusterConfig& cluster) const;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

/// Limits of one proxy process, from flags.
struct ProcessLimits {
  std::uint32_t max_connections = 0;  ///< downstream; 0: from the descriptor limit
  std::uint32_t socket_mark = 0;      ///< put on every upstream socket
  /// How long a TCP connection whose listener or chain is gone may go on.
  Milliseconds tcp_drain_time{45'000};
};

}  // namespace weft::proxy

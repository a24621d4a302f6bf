#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/config.h"
#include "proxy/filters/http_filter.h"
#include "proxy/log/access_log.h"
#include "proxy/routing/routing_table.h"
#include "proxy/upstream/compiled_clusters.h"

namespace weft::proxy {

/// A filter chain with everything compiled that a request would otherwise compile each time.
struct CompiledChain {
  const FilterChain* config = nullptr;
  AccessLogs logs;
  std::shared_ptr<const RoutingTable> table;  ///< of an HttpConfig with inline routes
  HttpFilters filters;
  /// What looks at each exchange when it is over, after the filters: counters, access logs.
  std::vector<std::shared_ptr<const HttpFilter>> observers;
  const HttpConfig* http() const { return std::get_if<HttpConfig>(&config->filter); }
  const TcpProxyConfig* tcp() const { return std::get_if<TcpProxyConfig>(&config->filter); }
};

/// A listener made ready to accept. Immutable; shared by workers and by the connections it accepted.
struct CompiledListener {
  std::shared_ptr<const ListenerConfig> config;
  std::vector<CompiledChain> chains;
  std::optional<CompiledChain> default_chain;
  AccessLogs logs;

  static Result<std::shared_ptr<const CompiledListener>> compile(
      std::shared_ptr<const ListenerConfig> source);
  /// Where a chain of `before`, an older version of this listener, is now: the one of its name; for one
  /// without a name the one that matches the same, for the default chain the default. Null: it is not there
  /// any more, or serves another protocol.
  const CompiledChain* successor_of(const CompiledListener& before, const CompiledChain& chain) const;
};

/// What is known of a connection when its filter chain is chosen.
struct ChainInput {
  net::Address destination;
  std::string_view transport_protocol;    ///< "raw_buffer" or "tls"
  std::string_view application_protocol;  ///< "http/1.1", "http/1.0", "h2c", or empty
};
/// The best match, by Envoy's order: destination port, then the longest destination prefix, then the
/// transport protocol, then the application protocol; a criterion that is absent matches less well than one
/// that fits. A port that any chain names is for those chains alone, and then for the default one: what they
/// do not take must not pass by a chain for all ports.
const CompiledChain* choose_chain(const CompiledListener& listener, const ChainInput& input);

/// Which protocols the choice of a chain depends on at a destination: those have to be looked for in the
/// first bytes. Where a port's or an address' chain takes whatever comes, nothing is waited for.
struct Sniffing {
  bool http = false, tls = false;
  bool any() const { return http || tls; }
};
Sniffing sniffing_for(const CompiledListener& listener, const net::Address& destination);

/// A Snapshot with everything compiled. What did not change since `previous` is taken from it.
struct CompiledSnapshot {
  SnapshotPtr source;
  std::map<std::string, std::shared_ptr<const CompiledListener>> listeners;
  std::map<std::string, std::shared_ptr<const RoutingTable>> tables;
  CompiledClusters clusters;

  static Result<std::shared_ptr<const CompiledSnapshot>> compile(SnapshotPtr source,
                                                                 const CompiledSnapshot* previous);
  /// The listener that `destination` belongs to: of exactly that address and port, or of any address and that
  /// port.
  std::shared_ptr<const CompiledListener> listener_for(const net::Address& destination) const;
  /// The routes of a connection manager: inline, or fetched by name; null while they have not come.
  std::shared_ptr<const RoutingTable> routes_of(const CompiledChain& chain) const;
};
using CompiledSnapshotPtr = std::shared_ptr<const CompiledSnapshot>;

}  // namespace weft::proxy

#pragma once

#include <memory>
#include <vector>

#include "base/random.h"
#include "proxy/config.h"
#include "proxy/filters/http_filter.h"
#include "proxy/routing/domain_index.h"
#include "proxy/routing/header_mutation.h"
#include "proxy/routing/path_index.h"

namespace weft::proxy {

/// A RouteTable made ready to be asked: indexes instead of lists, header values compiled. Made on the main
/// thread; immutable; asked on any.
class RoutingTable {
 public:
  struct CompiledCluster {
    const WeightedCluster* config;
    HeaderMutation request, response;
  };
  struct CompiledRoute {
    const Route* config;
    HeaderMutation request, response;
    std::vector<CompiledCluster> clusters;  ///< of a ForwardAction
    HttpFilters filters;
  };
  /// Shared by the versions of a table that have the same virtual host.
  struct CompiledHost {
    std::shared_ptr<const VirtualHost> config;
    std::vector<CompiledRoute> routes;
    PathIndex paths;
    HeaderMutation request, response;
  };
  struct Found {
    const CompiledHost* host = nullptr;
    const CompiledRoute* route = nullptr;
  };

  /// Errors name the virtual host and route. What hosts of `previous` were compiled to is used again where
  /// they are in `source` too.
  static Result<std::shared_ptr<const RoutingTable>> compile(std::shared_ptr<const RouteTable> source,
                                                             const RoutingTable* previous = nullptr);
  /// The first route of the request's virtual host that matches it; `route` null when none does.
  Found find(const http::RequestHead& request, Random& random) const;
  const RouteTable& source() const { return *source_; }

  HeaderMutation request, response;

 private:
  using HostPtr = std::shared_ptr<const CompiledHost>;
  Result<void> compile_hosts(const RoutingTable* previous);
  void index_domains(const RoutingTable* previous);
  bool has_domains_of(const RoutingTable& other) const;

  std::shared_ptr<const RouteTable> source_;
  std::vector<HostPtr> hosts_;
  std::shared_ptr<const DomainIndex> domains_;  ///< of source_->hosts
};

/// Draws one of a ForwardAction's clusters by weight; null when all weights are 0.
const RoutingTable::CompiledCluster* draw_cluster(const RoutingTable::CompiledRoute& route, Random& random);

/// The path to send upstream: `prefix_rewrite` in place of the matched prefix, or the regular expression's
/// substitution, applied to the path without its query. Unchanged when the action rewrites nothing.
std::string rewritten_path(const Route& route, const ForwardAction& action, std::string_view path);

/// The Location of a redirect (RFC 9110 §10.2.2).
std::string redirect_location(const Route& route, const RedirectAction& action,
                              const http::RequestHead& request);

}  // namespace weft::proxy

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/address.h"
#include "xds/resource.h"

namespace envoy::config::bootstrap::v3 {
class Bootstrap;
}

namespace weft::xds {

/// What replaces the file's own words, from flags; empty ones do not.
struct NodeOverrides {
  std::string id, cluster;
};

/// Where configuration comes from, and what of it is asked for.
struct AdsSource {
  std::string cluster;  ///< the static cluster that names the address
  net::Address address;
  std::string authority;
  std::chrono::milliseconds connect_timeout{5000};
  bool clusters = false, listeners = false;
  bool delta = false;  ///< the stream says what has changed, not what there is
};

/// An Envoy bootstrap, read and checked: everything a proxy starts from. A value; immutable once made.
///
/// It is strict: a field that we do not support is rejected by file, line and path, never ignored, and so is
/// a runtime key. Only what says how Envoy itself works and many bootstraps have is without effect:
/// stats_config, stats_flush_interval, and of layered_runtime the feature switches and the keys of RE2.
struct Bootstrap {
  std::string node_id, node_cluster;
  std::string node;  ///< the serialized Node that a control plane is told
  std::optional<net::Address> admin;
  /// Without the cluster that ADS itself uses: no request is ever sent there.
  std::vector<ResourcePtr> clusters, listeners;
  std::optional<AdsSource> ads;
  std::shared_ptr<const envoy::config::bootstrap::v3::Bootstrap> message;  ///< for the config dump
};

/// Errors are one line: "bootstrap.yaml:4: static_resources.listeners[0].adress: unknown or unsupported
/// field; did you mean "address"?".
Result<Bootstrap> load_bootstrap(const std::string& file_name, const NodeOverrides& overrides = {});
Result<Bootstrap> parse_bootstrap(std::string_view text, std::string file_name,
                                  const NodeOverrides& overrides = {});

}  // namespace weft::xds

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "proxy/config.h"

namespace envoy::config::bootstrap::v3 { class Bootstrap; }

namespace weft::xds {

/// What a proxy starts from. `message` keeps the whole for /config_dump and for the node that ADS sends.
struct Bootstrap {
  std::shared_ptr<const envoy::config::bootstrap::v3::Bootstrap> message;
  proxy::SnapshotPtr static_resources;
  std::optional<net::Address> admin;
  std::optional<net::Address> ads;  ///< the address of the ads_config's cluster
  std::string node_id, node_cluster;
};

/// Reads an Envoy bootstrap, YAML or JSON. Strict: what is unknown or not supported is refused with file, line and the
/// field's path, and nothing of it is used.
Result<Bootstrap> load_bootstrap(std::string_view text, std::string_view file);
Result<Bootstrap> load_bootstrap_file(const std::string& file);

}  // namespace weft::xds

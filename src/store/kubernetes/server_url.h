#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::store {

/// The parts of "https://host:port/path" (RFC 3986), as a kubeconfig has them.
struct ServerUrl {
  std::string host;  ///< without brackets
  std::uint16_t port = 443;
  std::string path;  ///< without '/' at its end
};
/// Errors: kUnsupported: not https; kInvalid.
Result<ServerUrl> parse_server_url(std::string_view text);

std::optional<std::uint16_t> parse_port(std::string_view text);

}  // namespace weft::store

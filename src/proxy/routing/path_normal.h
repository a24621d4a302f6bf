#pragma once

#include <string>
#include <string_view>

#include "proxy/config.h"

namespace weft::proxy {

/// What becomes of a request by its path.
enum class PathVerdict : std::uint8_t { kForward, kRedirect, kReject };

/// Makes `path` what every rule sees and the upstream gets, by what the connection manager is set to, in
/// Envoy's order: escaped slashes, then normalize_path, then merge_slashes. The query is left as it is, and
/// so is a target that is no path ("*"). kRedirect: the client is to ask for the path as it is now. kReject,
/// whatever is set: a '%' that encodes nothing (RFC 3986 §2.1), and "%00", for a server in C would read the
/// path only as far as that.
PathVerdict settle_path(std::string& path, const HttpConfig& config);

/// RFC 3986 §6.2.2 without letter case: what need not be percent-encoded is decoded, what may not stand bare
/// is encoded, dot segments are removed, also where dots are encoded, slashes are backslashes (as browsers
/// have it) or parameters follow ("..;a"). Applying it again changes nothing. `path` has no query.
std::string normal_path(std::string_view path);

/// One slash for each run of them.
std::string merged_slashes(std::string_view path);

}  // namespace weft::proxy

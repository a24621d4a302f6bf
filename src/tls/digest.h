#pragma once

#include <string>
#include <string_view>

namespace weft::tls {

/// SHA-256 (FIPS 180-4) of `bytes`: 32 raw bytes. Any thread.
std::string sha256(std::string_view bytes);
/// SHA-1 of `bytes`: 20 raw bytes. For protocols that name it and secure nothing by it (RFC 6455).
std::string sha1(std::string_view bytes);

}  // namespace weft::tls

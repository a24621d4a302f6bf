#pragma once

#include <string>
#include <string_view>

namespace weft::tls {

/// SHA-256 (FIPS 180-4) of `bytes`: 32 raw bytes. Any thread.
std::string sha256(std::string_view bytes);

}  // namespace weft::tls

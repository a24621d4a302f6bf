#pragma once

#include <cstdint>

namespace weft::http {

/// What is spoken on a connection; kAuto: what the client's first bytes say.
enum class Protocol : std::uint8_t { kHttp1, kHttp2, kAuto };

}  // namespace weft::http

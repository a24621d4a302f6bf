#pragma once

#include <string_view>

namespace weft::proxy {

/// What the first bytes of a connection are.
enum class Sniffed : std::uint8_t { kUndecided, kHttp10, kHttp11, kHttp2, kTls, kOther };

/// Decides as early as it can: "\x16\x03" is TLS, a method and a target and "HTTP/1.x" is HTTP/1, the HTTP/2
/// preface (RFC 9113 §3.4) is HTTP/2, and what cannot become one of them is something else.
Sniffed sniff(std::string_view bytes);

}  // namespace weft::proxy

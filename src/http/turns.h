#pragma once

namespace weft::http {

/// How much one connection does before everything else of its loop has a turn. A stream counts bytes
/// (net/stream.h); a piece of one byte, or a small request among many sent at once, costs far more than its
/// bytes.
inline constexpr unsigned kPiecesInATurn = 128;
inline constexpr unsigned kRequestsInATurn = 32;
/// Of one listener.
inline constexpr unsigned kConnectionsInATurn = 32;

}  // namespace weft::http

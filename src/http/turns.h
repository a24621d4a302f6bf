#pragma once

namespace weft::http {

/// How much one connection does before everything else of its loop has a turn. A socket counts bytes
/// (net/socket.h); a piece of one byte, or a small request among many sent at once, costs far more than its
/// bytes.
inline constexpr unsigned kPiecesInATurn = 128;
inline constexpr unsigned kRequestsInATurn = 32;

}  // namespace weft::http

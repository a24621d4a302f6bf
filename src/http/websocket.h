#pragma once

#include <string>
#include <string_view>

/// The handshake of WebSocket in HTTP/1 (RFC 6455 §4): a key in the request, and in the 101 what only a
/// server that speaks WebSocket makes of it. HTTP/2 has neither (RFC 8441 §5), so a connection of HTTP/1 adds
/// what a peer of the other version has not said. Any thread.
namespace weft::http::websocket {

inline constexpr std::string_view kKey = "sec-websocket-key", kAccept = "sec-websocket-accept";

/// Whether that Upgrade token is WebSocket's.
bool is_token_of(std::string_view upgrade);
/// A new value for kKey: 16 random bytes.
std::string new_key();
/// The value of kAccept that belongs to a key.
std::string accept_of(std::string_view key);

}  // namespace weft::http::websocket

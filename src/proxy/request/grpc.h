#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

/// What the data plane knows of gRPC over HTTP (grpc/doc/PROTOCOL-HTTP2.md, statuscodes.md): whose requests
/// are calls, and how a reply of our own is said to them.
namespace weft::proxy {

/// By its content-type: application/grpc, alone or with a suffix such as +proto.
bool is_grpc(const http::RequestHead& head);
/// The status of a call that ended with a reply of that HTTP status, as Envoy maps them.
int grpc_status_of(int http_status);
/// "Unavailable" for 14, as Envoy writes it; empty for a number that has no name.
std::string_view grpc_status_name(int status);
/// As grpc-message has it: bytes that are not printable ASCII, and '%', are percent-encoded.
std::string grpc_message(std::string_view text);
/// Of a response's head or trailers; nullopt where it says none, or no number.
std::optional<int> grpc_status_in(const http::Headers& headers);

}  // namespace weft::proxy

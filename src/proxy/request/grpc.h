#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

/// What the data plane knows of gRPC over HTTP (grpc/doc/PROTOCOL-HTTP2.md, statuscodes.md): whose requests
/// are calls, and how a reply of our own is said to them.
namespace weft::proxy {

/// What stands behind `of` in a content-type: "+proto", ";charset=utf-8" or nothing; nullopt: it is another
/// type, as application/grpc-web is to application/grpc.
std::optional<std::string_view> type_suffix(std::string_view content_type, std::string_view of);
/// By its content-type: application/grpc, alone or with a suffix such as +proto. Calls are made by POST.
bool is_grpc(const http::RequestHead& head);
/// The status of a call that ended with a reply of that HTTP status, as Envoy maps them.
int grpc_status_of(int http_status);
/// The status of a call whose stream an endpoint has reset, by the code of that error (see ClientExchange;
/// PROTOCOL-HTTP2.md, "Errors"); nullopt: no stream was reset.
std::optional<int> grpc_status_of_reset(Code code);
/// "Unavailable" for 14, as Envoy writes it; empty for a number that has no name.
std::string_view grpc_status_name(int status);
/// The same as "DEADLINE_EXCEEDED".
std::string_view grpc_status_snake_name(int status);
/// As grpc-message has it: bytes that are not printable ASCII, and '%', are percent-encoded.
std::string grpc_message(std::string_view text);
/// Of a response's head or trailers; nullopt where it says none, or no number.
std::optional<int> grpc_status_in(const http::Headers& headers);

/// 100 years: as good as no limit, and still small enough to be added to a time.
inline constexpr std::chrono::milliseconds kMaxGrpcTimeout = std::chrono::hours(100 * 365 * 24);
/// The time that a call says it has ("Timeout"), rounded up and at most kMaxGrpcTimeout; nullopt: it says
/// none. Error: it is not one to eight digits and a unit.
Result<std::optional<std::chrono::milliseconds>> grpc_timeout_in(const http::Headers& headers);
/// As grpc-timeout has it: "250m", or in seconds, rounded up, what has no room as milliseconds.
std::string grpc_timeout_text(std::chrono::milliseconds timeout);

}  // namespace weft::proxy

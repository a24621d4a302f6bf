#pragma once

#include <string>

#include "base/random.h"
#include "http/message.h"
#include "proxy/config.h"
#include "proxy/log/request_info.h"

/// The fields that a proxy of the mesh puts on, takes off and hands on, apart from what routes say.
namespace weft::proxy {

/// Whether x-forwarded-proto, as it is after prepare_request(), says https: all its fields as one (RFC 9110
/// §5.3), so that what a client says before a hop that is trusted does not count.
bool came_by_tls(const http::Headers& headers);

/// On arrival: request id, forwarded-for and -proto; at an edge what only the mesh may say is taken away from
/// clients outside, and everywhere what they say of a client's certificate. Sets info.remote_address by the
/// trusted-hops rule.
void prepare_request(http::RequestHead& head, const HttpConfig& config, RequestInfo& info, Random& random);

/// Continues the caller's trace, or starts one: B3 (one header per value) and W3C traceparent. What is not to
/// be sampled is passed on as such.
void continue_trace(http::Headers& headers, double sampling_percent, Random& random);

/// RFC 9110 §7.6.2: counts down Max-Forwards of OPTIONS and TRACE; false when it is used up and the request
/// goes no further.
bool count_forward(http::RequestHead& head);

/// On the way back: the server's name, and a date when the upstream gave none.
void finish_response(http::ResponseHead& head, const HttpConfig& config);

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7) of now; made once a second per thread.
std::string_view http_date();

/// 10/8, 172.16/12, 192.168/16, 127/8, ::1, fc00::/7: what Envoy calls an internal address.
bool is_internal(const net::Address& address);

}  // namespace weft::proxy

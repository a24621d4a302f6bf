#pragma once

#include <optional>

#include "base/error.h"
#include "http/message.h"
#include "proxy/config.h"
#include "proxy/stats/filter_counter.h"

namespace weft::proxy {

/// Requests whose time as a whole, `duration`, has ended them.
inline const FilterCounter kMaxDurationReached("downstream_rq_max_duration_reached");

/// How long one request may take: by its route and, where it is a call, by its grpc-timeout
/// (PROTOCOL-HTTP2.md, "Timeout").
struct RequestTime {
  Milliseconds response{0};               ///< from the request's last byte to the response's; 0: no limit
  std::optional<Milliseconds> duration;   ///< from the request's head to the response's last byte
  std::optional<Milliseconds> told = {};  ///< the grpc-timeout for the endpoint, instead of the client's

  /// As Envoy has it: a route's grpc_duration goes by what the client says, and its grpc_response also where
  /// the client says nothing. Error: the route goes by grpc-timeout, and that cannot be read.
  static Result<RequestTime> of(const ForwardAction& action, const http::RequestHead& head);
};

}  // namespace weft::proxy

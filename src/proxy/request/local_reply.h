#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/log/response_flags.h"

namespace weft::proxy {

/// Each cause of a response that is not an upstream's.
enum class LocalReplyKind : std::uint8_t {
  kSchemeWithoutTls,
  kPathRejected,
  kPathRedirected,  ///< to the path with its escaped slashes decoded
  kRoutesMissing,
  kRouteMissing,
  kUpgradeRejected,
  kWebSocketMalformed,
  kClusterMissing,
  kDirectResponse,  ///< what the route says: status and body are those of its action
  kMaxForwards,
  kFaultAbort,
  kRequestMalformed,
  kRequestFieldsTooLarge,
  kGrpcTimeoutMalformed,
  kRequestIdle,
  kRequestOverdue,
  kNoHealthyUpstream,
  kOverflow,
  kConnectFailure,
  kConnectTimeout,
  kUpstreamTimeout,
  kPerTryTimeout,
  kMaxDuration,
  kUpstreamProtocolError,
  kUpstreamReset,
  kResponseMalformed,
};

/// A whole response of our own, as its row of the table says or as configuration has changed it. To a gRPC
/// call it is said as a head alone: 200, with `grpc_status` and with `body` as grpc-message.
struct LocalReply {
  int status;
  std::string_view body;     ///< text/plain unless a header says otherwise; empty: none
  std::string_view details;  ///< RESPONSE_CODE_DETAILS; a literal
  Flag flag = Flag::kNone;
  std::optional<int> grpc_status = {};  ///< nullopt: what goes with `status`, see grpc_status_of()
};

/// The row of that kind: statuses, bodies, flags and details are Envoy's, which users search their logs for.
const LocalReply& local_reply(LocalReplyKind kind);
}  // namespace weft::proxy

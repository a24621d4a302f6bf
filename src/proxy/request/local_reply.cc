#include "proxy/request/local_reply.h"

#include <array>
#include <utility>

#include "http/grpc/stream.h"

namespace weft::proxy {
namespace {

struct Row {
  LocalReplyKind kind;
  LocalReply reply;
};

#define WEFT_RESET_TEXT "upstream connect error or disconnect/reset before headers. reset reason: "
#define WEFT_RESET_DETAILS "upstream_reset_before_response_started"

using enum LocalReplyKind;
using http::grpc::kDeadlineExceeded;
constexpr std::array kRows = {
    Row{kSchemeWithoutTls, {403, "https: without TLS", "http1.invalid_scheme"}},
    Row{kPathRejected, {400, "", "path_normalization_failed"}},
    Row{kPathRedirected, {307, "", "path_normalization_failed"}},
    Row{kRoutesMissing, {404, "", "route_configuration_not_found", Flag::kNoRoute}},
    Row{kRouteMissing, {404, "", "route_not_found", Flag::kNoRoute}},
    Row{kUpgradeRejected, {403, "", "upgrade_failed"}},
    Row{kWebSocketMalformed,
        {400, "malformed WebSocket request", "websocket_request_malformed", Flag::kDownstreamProtocolError}},
    Row{kClusterMissing, {503, "", "cluster_not_found", Flag::kNoCluster}},
    Row{kDirectResponse, {200, "", "direct_response"}},
    Row{kMaxForwards, {405, "", "max_forwards_reached"}},
    Row{kFaultAbort, {503, "fault filter abort", "fault_filter_abort", Flag::kFaultInjected}},
    Row{kRequestMalformed, {400, "Bad Request", "http1.codec_error", Flag::kDownstreamProtocolError}},
    Row{kRequestFieldsTooLarge, {431, "", "request_headers_too_large", Flag::kDownstreamProtocolError}},
    Row{kGrpcTimeoutMalformed,
        {400, "malformed grpc-timeout", "grpc_timeout_malformed", Flag::kDownstreamProtocolError}},
    Row{kRequestIdle, {408, "stream timeout", "stream_idle_timeout", Flag::kStreamIdleTimeout}},
    Row{kRequestOverdue, {408, "request timeout", "request_overall_timeout", Flag::kDownstreamTerminated}},
    Row{kNoHealthyUpstream, {503, "no healthy upstream", "no_healthy_upstream", Flag::kNoHealthyUpstream}},
    Row{kOverflow,
        {503, WEFT_RESET_TEXT "overflow", WEFT_RESET_DETAILS "{overflow}", Flag::kUpstreamOverflow}},
    Row{kConnectFailure,
        {503, WEFT_RESET_TEXT "connection failure", WEFT_RESET_DETAILS "{connection_failure}",
         Flag::kUpstreamConnectionFailure}},
    Row{kConnectTimeout,
        {503, WEFT_RESET_TEXT "connection timeout", WEFT_RESET_DETAILS "{connection_timeout}",
         Flag::kUpstreamConnectionFailure}},
    Row{kUpstreamTimeout,
        {504, "upstream request timeout", "response_timeout", Flag::kUpstreamTimeout, kDeadlineExceeded}},
    Row{kPerTryTimeout,
        {504, "upstream request timeout", "upstream_per_try_timeout", Flag::kUpstreamTimeout,
         kDeadlineExceeded}},
    Row{kMaxDuration,
        {504, "downstream duration timeout", "max_duration_timeout", Flag::kNone, kDeadlineExceeded}},
    Row{kUpstreamProtocolError,
        {502, WEFT_RESET_TEXT "protocol error", WEFT_RESET_DETAILS "{protocol_error}",
         Flag::kUpstreamProtocolError}},
    Row{kUpstreamReset,
        {503, WEFT_RESET_TEXT "connection termination", WEFT_RESET_DETAILS "{connection_termination}",
         Flag::kUpstreamTermination}},
    Row{kResponseMalformed, {500, "Internal Server Error", "response_headers_malformed"}},
};

#undef WEFT_RESET_TEXT
#undef WEFT_RESET_DETAILS

constexpr bool rows_stand_in_the_order_of_their_kinds() {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (std::to_underlying(kRows[i].kind) != i) return false;
  return kRows.size() == std::to_underlying(kResponseMalformed) + std::size_t{1};
}
static_assert(rows_stand_in_the_order_of_their_kinds());

}  // namespace

const LocalReply& local_reply(LocalReplyKind kind) { return kRows[std::to_underlying(kind)].reply; }

}  // namespace weft::proxy

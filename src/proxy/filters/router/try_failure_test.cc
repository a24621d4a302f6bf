#include "proxy/filters/router/try_failure.h"

#include <gtest/gtest.h>

namespace weft::proxy {
namespace {

TEST(TryFailure, each_failure_of_a_try_has_envoy_s_status_flag_and_details) {
  struct Row {
    TryFailure failure;
    int status;
    Flag flag;
    std::string_view details;
  };
  for (const Row& row : {
           Row{TryFailure::kNoHost, 503, Flag::kNoHealthyUpstream, "no_healthy_upstream"},
           Row{TryFailure::kOverflow, 503, Flag::kUpstreamOverflow,
               "upstream_reset_before_response_started{overflow}"},
           Row{TryFailure::kConnect, 503, Flag::kUpstreamConnectionFailure,
               "upstream_reset_before_response_started{connection_failure}"},
           Row{TryFailure::kConnectTimeout, 503, Flag::kUpstreamConnectionFailure,
               "upstream_reset_before_response_started{connection_timeout}"},
           Row{TryFailure::kReset, 503, Flag::kUpstreamTermination,
               "upstream_reset_before_response_started{connection_termination}"},
           Row{TryFailure::kStale, 503, Flag::kUpstreamTermination,
               "upstream_reset_before_response_started{connection_termination}"},
           Row{TryFailure::kUnprocessed, 503, Flag::kUpstreamTermination,
               "upstream_reset_before_response_started{connection_termination}"},
           Row{TryFailure::kProtocol, 502, Flag::kUpstreamProtocolError,
               "upstream_reset_before_response_started{protocol_error}"},
           Row{TryFailure::kTimeout, 504, Flag::kUpstreamTimeout, "response_timeout"},
           Row{TryFailure::kPerTryTimeout, 504, Flag::kUpstreamTimeout, "upstream_per_try_timeout"},
           Row{TryFailure::kOverdue, 408, Flag::kDownstreamTerminated, "request_overall_timeout"},
       }) {
    const LocalReply& reply = local_reply(local_reply_for(row.failure));
    EXPECT_EQ(reply.status, row.status) << row.details;
    EXPECT_EQ(reply.flag, row.flag) << row.details;
    EXPECT_EQ(reply.details, row.details);
  }
}

}  // namespace
}  // namespace weft::proxy

#include "proxy/filters/router/try_failure.h"

namespace weft::proxy {

LocalReplyKind local_reply_for(TryFailure failure) {
  switch (failure) {
    case TryFailure::kNoHost: return LocalReplyKind::kNoHealthyUpstream;
    case TryFailure::kOverflow: return LocalReplyKind::kOverflow;
    case TryFailure::kConnect: return LocalReplyKind::kConnectFailure;
    case TryFailure::kConnectTimeout: return LocalReplyKind::kConnectTimeout;
    case TryFailure::kProtocol: return LocalReplyKind::kUpstreamProtocolError;
    case TryFailure::kTimeout: return LocalReplyKind::kUpstreamTimeout;
    case TryFailure::kPerTryTimeout: return LocalReplyKind::kPerTryTimeout;
    case TryFailure::kMaxDuration: return LocalReplyKind::kMaxDuration;
    case TryFailure::kOverdue: return LocalReplyKind::kRequestOverdue;
    case TryFailure::kNone:
    case TryFailure::kReset:
    case TryFailure::kStale:
    case TryFailure::kUnprocessed:
    case TryFailure::kStatus:
    case TryFailure::kClient: break;
  }
  return LocalReplyKind::kUpstreamReset;
}

}  // namespace weft::proxy

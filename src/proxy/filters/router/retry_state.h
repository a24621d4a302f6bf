#pragma once

#include <cstdint>
#include <string_view>

#include "base/random.h"
#include "base/time.h"
#include "http/message.h"
#include "proxy/config.h"
#include "proxy/filters/router/try_failure.h"

namespace weft::proxy {

/// Whether a request is tried once more, and how often it was. Knows rules and counts only: no connection,
/// no clock.
///
/// Without a policy one more try is made where the server cannot have done anything: after a connection that
/// could not be made, and after a stream that the server said it did not look at, for every method; after a
/// reused connection that the server had ended before it could take the request, for idempotent methods;
/// after one that ended before any byte of the response, for methods that ask for no change (RFC 9110 §9.2).
/// A policy adds its own conditions to these; retries: 0 takes them away.
///
/// Owner: one request. Thread: the worker's loop. `policy` (null: none) outlives it.
class RetryState {
 public:
  /// What is known of a try that has failed.
  struct Facts {
    std::string_view method;
    /// The client waits, no byte of a response has gone to it, time is left, and what was read of the body
    /// can be sent again.
    bool repeatable = false;
    bool place = false;       ///< one more retry fits into the cluster's max_retries
    bool unanswered = false;  ///< the connection had served before, and ended before any byte of a response
    const http::ResponseHead* response = nullptr;  ///< for TryFailure::kStatus
  };
  enum class Decision : std::uint8_t {
    kNo,
    kByPolicy,
    kByDefault,
    kLimit,  ///< the policy would, but has no retry left
    kFull,   ///< the policy would, but max_retries is reached
  };

  explicit RetryState(const RetryPolicy* policy) : policy_(policy) {}

  Decision decide(TryFailure failure, const Facts& facts) const;
  static bool retries(Decision decision) {
    return decision == Decision::kByPolicy || decision == Decision::kByDefault;
  }
  /// Counts a retry of that decision.
  void count(Decision decision) { ++(decision == Decision::kByPolicy ? by_policy_ : by_default_); }
  /// How long to wait before the try just counted: full jitter over an interval that doubles, as Envoy's, so
  /// that the tries of many clients do not come together again. None for those by default.
  Duration back_off(Random& random) const;
  /// Whether the policy would have this response asked for again, were there a retry left.
  bool names(const http::ResponseHead& response) const;

 private:
  bool policy_names(TryFailure failure, const http::ResponseHead* response) const;
  bool default_names(TryFailure failure, const Facts& facts) const;

  const RetryPolicy* policy_;
  std::uint32_t by_policy_ = 0, by_default_ = 0;
};

}  // namespace weft::proxy

#include "proxy/filters/router/retry_state.h"

#include <algorithm>

#include "proxy/filters/router/retry_policy.h"

namespace weft::proxy {
namespace {

constexpr std::uint32_t kDefaultRetries = 1;
constexpr std::uint32_t kMaxDoublings = 16;

}  // namespace

bool RetryState::names(const http::ResponseHead& response) const {
  return policy_ && retries_response(*policy_, response);
}

bool RetryState::policy_names(TryFailure failure, const http::ResponseHead* response) const {
  if (!policy_) return false;
  const bool any_reset = policy_->reset || policy_->five_xx || policy_->gateway_error;
  switch (failure) {
    case TryFailure::kConnect:
    case TryFailure::kConnectTimeout: return policy_->connect_failure || any_reset;
    case TryFailure::kStale: return policy_->reset_before_request || any_reset;
    case TryFailure::kUnprocessed:
      return policy_->refused_stream || policy_->reset_before_request || any_reset;
    case TryFailure::kReset:
    case TryFailure::kPerTryTimeout:
    case TryFailure::kProtocol: return any_reset;
    case TryFailure::kStatus: return response && names(*response);
    default: return false;
  }
}

bool RetryState::default_names(TryFailure failure, const Facts& facts) const {
  switch (failure) {
    case TryFailure::kConnect:
    case TryFailure::kConnectTimeout:
    case TryFailure::kUnprocessed: return true;
    case TryFailure::kStale: return is_idempotent(facts.method);
    case TryFailure::kReset: return facts.unanswered && is_safe(facts.method);
    default: return false;
  }
}

RetryState::Decision RetryState::decide(TryFailure failure, const Facts& facts) const {
  if (policy_names(failure, facts.response)) {
    if (policy_->retries == 0) return Decision::kNo;
    if (by_policy_ >= policy_->retries) return Decision::kLimit;
    if (!facts.place) return Decision::kFull;
    return facts.repeatable ? Decision::kByPolicy : Decision::kNo;
  }
  const bool allowed =
      facts.repeatable && by_default_ < kDefaultRetries && !(policy_ && policy_->retries == 0);
  return allowed && default_names(failure, facts) ? Decision::kByDefault : Decision::kNo;
}

Duration RetryState::back_off(Random& random) const {
  if (by_policy_ == 0) return Duration::zero();
  const auto doublings = std::min(by_policy_ - 1, kMaxDoublings);
  const Milliseconds max = std::min(policy_->base_interval * (1u << doublings), policy_->max_interval);
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(max).count();
  return std::chrono::microseconds(random.below(static_cast<std::uint64_t>(microseconds) + 1));
}

}  // namespace weft::proxy

#include "proxy/filters/router/request_time.h"

#include <algorithm>

#include "proxy/request/grpc.h"

namespace weft::proxy {
namespace {

constexpr Milliseconds kDefaultTimeout{15'000};

std::optional<Milliseconds> unless_zero(Milliseconds limit) {
  return limit.count() ? std::optional(limit) : std::nullopt;
}

/// Zero is a time that is over at once.
Milliseconds duration_of_call(Milliseconds timeout, const GrpcTimeout& by) {
  if (by.max.count()) timeout = std::min(timeout, by.max);
  return std::max(timeout - by.offset, Milliseconds::zero());
}

/// Zero is no limit, so no offset may lead to it.
Milliseconds response_time_of_call(Milliseconds timeout, const GrpcTimeout& by) {
  if (by.offset < timeout) timeout -= by.offset;
  if (by.max.count() && (timeout.count() == 0 || timeout > by.max)) timeout = by.max;
  return timeout;
}

}  // namespace

Result<RequestTime> RequestTime::of(const ForwardAction& action, const http::RequestHead& head) {
  RequestTime time{.response = action.timeout.value_or(kDefaultTimeout),
                   .duration = unless_zero(action.max_duration)};
  if ((!action.grpc_duration && !action.grpc_response) || !is_grpc(head)) return time;
  WEFT_TRY(const auto timeout, grpc_timeout_in(head.headers));
  if (action.grpc_duration && timeout) time.duration = duration_of_call(*timeout, *action.grpc_duration);
  if (action.grpc_response) {
    time.response = response_time_of_call(timeout.value_or(Milliseconds::zero()), *action.grpc_response);
    time.told = unless_zero(time.response);
    if (timeout == Milliseconds::zero()) time.duration = timeout;
  }
  return time;
}

}  // namespace weft::proxy

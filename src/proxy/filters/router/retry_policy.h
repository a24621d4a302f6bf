#pragma once

#include "http/message.h"
#include "proxy/config.h"

namespace weft::proxy {

/// Whether the policy would have such a response of an upstream asked for once more.
bool retries_response(const RetryPolicy& policy, const http::ResponseHead& response);

/// RFC 9110 §9.2.2.
bool is_idempotent(std::string_view method);
/// RFC 9110 §9.2.1: asks for nothing to be changed.
bool is_safe(std::string_view method);

}  // namespace weft::proxy

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/message.h"

namespace bookinfo {

/// The headers productpage hands on unchanged: request id, trace contexts it does not itself interpret, and
/// what the client says about itself. `end-user` and the `x-b3-*` family are not among them; it makes those
/// itself.
std::span<const std::string_view> headers_productpage_copies();

/// The headers reviews hands on to ratings, and details to the external book service: those above, every
/// `x-b3-*` and `end-user`.
std::span<const std::string_view> headers_inner_services_copy();

/// What both services handed on in release 0.2.9: the request id and the trace context, seven headers.
std::span<const std::string_view> headers_029_copies();

/// The `Cookie` header both services sent in release 0.2.9, `user=jason`: that one cookie of all the client
/// sent. Nothing when it has none.
std::optional<std::string> user_cookie(const Headers& headers);

/// Copies the named headers that are present; a header that came several times goes on as one, joined with
/// commas.
void copy_headers(std::span<const std::string_view> names, const Headers& from, Headers& to);

}  // namespace bookinfo

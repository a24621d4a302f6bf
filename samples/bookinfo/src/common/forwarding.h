#pragma once

#include <span>
#include <string_view>

#include "common/message.h"

namespace bookinfo {

/// The headers productpage hands on unchanged: request id, trace contexts it does not itself interpret, and
/// what the client says about itself. `end-user` and the `x-b3-*` family are not among them; it makes those
/// itself.
std::span<const std::string_view> headers_productpage_copies();

/// The headers reviews hands on to ratings: those above, every `x-b3-*` and `end-user`.
std::span<const std::string_view> headers_reviews_copies();

/// Copies the named headers that are present; a header that came several times goes on as one, joined with
/// commas.
void copy_headers(std::span<const std::string_view> names, const Headers& from, Headers& to);

}  // namespace bookinfo

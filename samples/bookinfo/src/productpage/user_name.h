#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bookinfo::productpage {

/// A user name in the bytes a header may carry: Latin-1 without control characters. Nothing for names with
/// other letters or that are not UTF-8. Source: RFC 9110 §5.5, which keeps Latin-1 for old peers.
std::optional<std::string> header_bytes_of(std::string_view utf8);

}  // namespace bookinfo::productpage

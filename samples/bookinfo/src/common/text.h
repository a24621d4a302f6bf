#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace bookinfo {

/// Source: RFC 3629 §3: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

/// Makes text safe between tags and inside quoted attributes: `& < > " '` become references, and bytes that
/// are not UTF-8 become U+FFFD.
std::string html_escape(std::string_view text);

/// Undoes percent-encoding. A `%` that no two hex digits follow stays as it is, as browsers do.
/// `plus_is_space` is for form data only.
std::string percent_decode(std::string_view text, bool plus_is_space = false);

/// The first value of `name` in `a=1&b=2` form data or a query; decoded. Nothing when the name is not there.
std::optional<std::string> form_value(std::string_view form, std::string_view name);

/// The value of one cookie in a `Cookie` header. Source: RFC 6265 §4.2.1.
std::optional<std::string_view> cookie_value(std::string_view cookies, std::string_view name);

/// `Sun, 06 Nov 1994 08:49:37 GMT`. Source: RFC 9110 §5.6.7.
std::string http_date(std::time_t when);

}  // namespace bookinfo

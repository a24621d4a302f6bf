#pragma once

#include <string_view>

#include "http/message.h"
#include "proxy/config.h"

namespace weft::proxy {

/// Whether `text` satisfies the match; kPresent is satisfied by any text. Any thread.
bool matches(const StringMatch& match, std::string_view text);

/// Of repeated fields one that satisfies it is enough, and an inverted match wants none that does: a guard is
/// not got around by another field beside the one that it looks for. They are not joined (as in Envoy since
/// 1.39). An absent field satisfies nothing, not even an inverted match, except an inverted kPresent, and
/// unless treat_missing_as_empty.
bool matches(const HeaderMatch& match, const http::RequestHead& request);

/// The same of a response: names that begin with ':' are in none.
bool matches(const HeaderMatch& match, const http::ResponseHead& response);

/// The first parameter of that name, without percent-decoding. `query` comes without its '?'.
bool matches(const QueryMatch& match, std::string_view query);

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);

}  // namespace weft::proxy

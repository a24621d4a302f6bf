#pragma once

#include <string>
#include <string_view>

namespace weft::pod {

/// Whether these bytes are one question as clients ask it (RFC 1035, 4.1): not a response, one name, whole.
bool is_dns_question(std::string_view message);

/// Whether `message` is a response to `question`: same id, same name (letters of any case), type and class;
/// or an error with that id that repeats no question. `question` is one.
bool is_dns_response_to(std::string_view message, std::string_view question);

/// The response "no server could tell" (SERVFAIL, RFC 1035, 4.1.1) to a question.
std::string dns_server_failure(std::string_view question);

}  // namespace weft::pod

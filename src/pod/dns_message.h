#pragma once

#include <string>
#include <string_view>

namespace weft::pod {

/// Whether these bytes are one question as clients ask it (RFC 1035, 4.1): not an answer, one name, whole.
bool is_dns_question(std::string_view message);

/// Whether `message` is an answer to `question`: same id, same name (letters of any case), type and class; or
/// an error with that id that repeats no question. `question` is one.
bool answers_dns_question(std::string_view message, std::string_view question);

/// The answer "no server could tell" (SERVFAIL, RFC 1035, 4.1.1) to a question.
std::string dns_server_failure(std::string_view question);

}  // namespace weft::pod

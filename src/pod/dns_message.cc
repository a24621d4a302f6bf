#include "pod/dns_message.h"

#include <cstddef>
#include <optional>

#include "base/strings.h"

namespace weft::pod {
namespace {

// RFC 1035, 4.1.1 and 4.1.2.
constexpr std::size_t kHeader = 12, kFlags = 2, kCode = 3, kQuestionCount = 4;
constexpr std::size_t kTypeAndClass = 4, kMaxLabel = 63, kMaxName = 255;
constexpr unsigned kIsResponse = 0x80, kCodeMask = 0x0f, kOpcodeAndRecursion = 0x79, kServerFailure = 2;

unsigned byte_at(std::string_view message, std::size_t at) { return static_cast<unsigned char>(message[at]); }

/// Name, type and class of the only question; nothing when there is another number of them or it is cut off.
std::optional<std::string_view> only_question(std::string_view message) {
  if (message.size() < kHeader) return std::nullopt;
  if (byte_at(message, kQuestionCount) != 0 || byte_at(message, kQuestionCount + 1) != 1) return std::nullopt;
  std::size_t at = kHeader;
  for (;;) {
    if (at >= message.size() || at - kHeader > kMaxName) return std::nullopt;
    const std::size_t label = byte_at(message, at++);
    if (label == 0) break;
    // Nothing stands before the first name that a pointer could mean.
    if (label > kMaxLabel) return std::nullopt;
    at += label;
  }
  if (message.size() - at < kTypeAndClass) return std::nullopt;
  return message.substr(kHeader, at + kTypeAndClass - kHeader);
}

/// Some servers respond to what they cannot or will not do (FORMERR, NOTIMP, REFUSED) with the header alone.
bool is_bare_error(std::string_view message) {
  return message.size() >= kHeader && byte_at(message, kQuestionCount) == 0 &&
         byte_at(message, kQuestionCount + 1) == 0 && (byte_at(message, kCode) & kCodeMask) != 0;
}

bool is_response(std::string_view message) { return (byte_at(message, kFlags) & kIsResponse) != 0; }

}  // namespace

bool is_dns_question(std::string_view message) {
  return only_question(message).has_value() && !is_response(message);
}

bool is_dns_response_to(std::string_view message, std::string_view question) {
  const auto repeated = only_question(message), asked = only_question(question);
  if (!asked || message.size() < kHeader || !is_response(message)) return false;
  if (message.substr(0, 2) != question.substr(0, 2)) return false;
  if (!repeated) return is_bare_error(message);
  return to_lower(*repeated) == to_lower(*asked);
}

std::string dns_server_failure(std::string_view question) {
  const std::string_view asked = only_question(question).value_or(std::string_view());
  std::string made(question.substr(0, 2));
  made += static_cast<char>(kIsResponse | (byte_at(question, kFlags) & kOpcodeAndRecursion));
  made += static_cast<char>(kServerFailure);
  made += std::string_view("\0\1\0\0\0\0\0\0", 8);
  made += asked;
  return made;
}

}  // namespace weft::pod

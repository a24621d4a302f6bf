#include "productpage/session.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "common/text.h"

namespace bookinfo::productpage {

namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// base64url without padding. Source: RFC 4648 §5.
std::string to_base64(std::string_view bytes) {
  std::string text;
  unsigned pending = 0;
  unsigned bits = 0;
  for (const unsigned char byte : bytes) {
    pending = (pending << 8 | byte) & 0xFFFF;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text += kDigits[pending >> bits & 0x3F];
    }
  }
  if (bits > 0) text += kDigits[pending << (6 - bits) & 0x3F];
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes;
  unsigned pending = 0;
  unsigned bits = 0;
  for (const char letter : text) {
    const auto digit = kDigits.find(letter);
    if (digit == std::string_view::npos) return std::nullopt;
    pending = (pending << 6 | static_cast<unsigned>(digit)) & 0xFFFF;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(pending >> bits & 0xFF);
  }
  return bytes;
}

}  // namespace

std::optional<std::string> Sessions::user_of(const Headers& headers) const {
  const auto cookies = headers.find("cookie");
  if (!cookies) return std::nullopt;
  const auto session = cookie_value(*cookies, "session");
  if (!session) return std::nullopt;
  const auto dot = session->find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view name = session->substr(0, dot);
  const std::string_view theirs = session->substr(dot + 1);
  const std::string ours = signature(name);
  if (theirs.size() != ours.size() || CRYPTO_memcmp(theirs.data(), ours.data(), ours.size()) != 0)
    return std::nullopt;
  return from_base64(name);
}

std::string Sessions::cookie_for(std::string_view user) const {
  const std::string name = to_base64(user);
  return "session=" + name + "." + signature(name) + "; HttpOnly; Path=/; SameSite=Lax";
}

std::string Sessions::expired_cookie() {
  return "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/; SameSite=Lax";
}

std::string Sessions::signature(std::string_view text) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return to_base64({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace bookinfo::productpage

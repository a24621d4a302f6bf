#include "productpage/identity.h"

#include <array>
#include <cstdio>

#include "common/forwarding.h"
#include "common/text.h"
#include "productpage/user_name.h"

namespace bookinfo::productpage {

namespace {

/// What may stand in a cookie's value, without the `%` that introduces the rest. Source: RFC 6265 §4.1.1.
bool is_cookie_letter(unsigned char letter) {
  constexpr std::string_view kForbidden = "\"%,;\\";
  return letter > 0x20 && letter < 0x7F &&
         kForbidden.find(static_cast<char>(letter)) == std::string_view::npos;
}

std::string cookie_text(std::string_view user) {
  std::string text;
  for (const char letter : user) {
    const auto byte = static_cast<unsigned char>(letter);
    if (is_cookie_letter(byte)) {
      text += letter;
      continue;
    }
    std::array<char, 4> encoded{};
    std::snprintf(encoded.data(), encoded.size(), "%%%02X", static_cast<unsigned>(byte));
    text += encoded.data();
  }
  return text;
}

}  // namespace

std::optional<std::string> Identity::user_of(const Headers& request) const {
  if (compat_ == Compat::kToday) return sessions_.user_of(request);
  const auto cookie = user_cookie(request);
  if (!cookie) return std::nullopt;
  return percent_decode(std::string_view(*cookie).substr(cookie->find('=') + 1));
}

std::string Identity::cookie_for(std::string_view user) const {
  if (compat_ == Compat::kToday) return sessions_.cookie_for(user);
  return "user=" + cookie_text(user) + "; Path=/";
}

std::string Identity::expired_cookie() const {
  if (compat_ == Compat::kToday) return Sessions::expired_cookie();
  return "user=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/";
}

bool Identity::hand_on(const Headers& request, Headers& out) const {
  if (compat_ == Compat::k029) {
    if (const auto cookie = user_cookie(request)) out.add("Cookie", *cookie);
    return true;
  }
  const auto user = sessions_.user_of(request);
  if (!user) return true;
  const auto bytes = header_bytes_of(*user);
  if (bytes) out.add("end-user", *bytes);
  return bytes.has_value();
}

}  // namespace bookinfo::productpage

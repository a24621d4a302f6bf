#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/message.h"

namespace bookinfo::productpage {

/// Remembers who signed in, in a cookie that the browser keeps and only this service can write: the user name
/// and an HMAC-SHA256 over it. There are no passwords and no state here, so any replica can serve any user
/// that shares the key.
class Sessions {
 public:
  explicit Sessions(std::string key) : key_(std::move(key)) {}

  /// The user of a request, which may be the empty name. Nothing without a cookie or when its signature is
  /// not ours.
  std::optional<std::string> user_of(const Headers& headers) const;

  /// The value of a `Set-Cookie` line that signs `user` in.
  std::string cookie_for(std::string_view user) const;

  /// The value of a `Set-Cookie` line that makes the browser forget the session.
  static std::string expired_cookie();

 private:
  std::string signature(std::string_view text) const;

  std::string key_;
};

}  // namespace bookinfo::productpage

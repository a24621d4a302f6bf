#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/compat.h"
#include "common/message.h"
#include "productpage/session.h"

namespace bookinfo::productpage {

/// Who a request is from, and how the browser and the services behind productpage are told.
///
/// Today that is the signed cookie `session` and the header `end-user`. In release 0.2.9 it was the cookie
/// `user` in clear text, which anybody can write, and that same cookie downstream.
class Identity {
 public:
  Identity(Sessions sessions, Compat compat) : sessions_(std::move(sessions)), compat_(compat) {}

  /// The user of a request, which may be the empty name. Nothing for someone who is not signed in.
  std::optional<std::string> user_of(const Headers& request) const;

  /// The value of a `Set-Cookie` line that signs `user` in.
  std::string cookie_for(std::string_view user) const;

  /// The value of a `Set-Cookie` line that makes the browser forget the user.
  std::string expired_cookie() const;

  /// Adds to `out` what tells the next service whose request it is. False when the name has letters that no
  /// header can carry; then `out` is as it was.
  bool hand_on(const Headers& request, Headers& out) const;

 private:
  Sessions sessions_;
  Compat compat_;
};

}  // namespace bookinfo::productpage

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "http/server_session.h"

namespace weft::http {

/// RFC 9113 §3.4: what a client of HTTP/2 sends first.
inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection whose first bytes tell what is spoken: the preface of HTTP/2 (RFC 9113 §3.4), or else HTTP/1.
/// From then on it is a session of that version.
///
/// Owner, thread, end: see ServerSession.
class AutoSession final : public ServerSession {
 public:
  AutoSession(net::Stream& stream, const ServerSessionOptions& options, Observer* observer);

  net::Task<void> serve(const Handler& handler) override;
  void drain() override;
  void end_with_next_response() override;
  void follow_options() override;
  bool is_idle() const override { return !session_ || session_->is_idle(); }
  TimePoint idle_since() const override { return session_ ? session_->idle_since() : since_; }

 private:
  net::Task<std::optional<Protocol>> recognize();

  net::Stream& stream_;
  const ServerSessionOptions& options_;
  Observer* observer_;
  TimePoint since_;
  bool begun_ = false;  ///< bytes that may be the preface have been looked at
  enum class End : std::uint8_t { kNo, kNextResponse, kDrain };
  End end_ = End::kNo;  ///< what the session is told once there is one
  std::unique_ptr<ServerSession> session_;
};

}  // namespace weft::http

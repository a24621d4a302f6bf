#pragma once

#include <string_view>

#include "http/h1/fields.h"
#include "http/message.h"
#include "http/rules.h"

namespace weft::http::h1 {

/// What a call to a head parser did with the bytes it was shown.
struct HeadStep {
  std::size_t consumed = 0;  ///< whole lines taken; show the rest again, with more behind it
  bool done = false;         ///< the head is complete; what follows is the body
  Rejection rejection;       ///< the message must be rejected; nothing after it may be read
};

/// Parses heads line by line: every whole line is checked at once, an unfinished one is looked at only for
/// what can never become right. Pure; no I/O. Owner: a connection; reused for each message by start().
class HeadParser {
 public:
  explicit HeadParser(const Limits& limits) : limits_(limits) {}
  /// Between two heads.
  void set_limits(const Limits& limits) { limits_ = limits; }
  /// The names that the Connection field lists; valid until the next head begins.
  std::string_view of_the_connection() const { return fields_.nominated(); }

 protected:
  enum class State : std::uint8_t { kFirstLine, kFields };
  void restart();
  /// Calls first_line once and field lines after; `data` begins at the first byte not yet consumed.
  template <class Parser>
  HeadStep run(Parser& parser, std::string_view data);

  Limits limits_;
  State state_ = State::kFirstLine;
  FieldCollector fields_;
  std::uint32_t bytes_ = 0;    ///< of the head so far, in whole lines
  std::size_t looked_at_ = 0;  ///< of the unfinished line
  bool empty_line_skipped_ = false;

 private:
  Rejection check_unfinished(std::string_view line);
};

/// RFC 9112 §3 and §5: requests.
class RequestParser : public HeadParser {
 public:
  using HeadParser::HeadParser;
  /// Clears `into`, which receives the next head and must live until the parser is done.
  void start(RequestHead& into);
  HeadStep feed(std::string_view data) { return run(*this, data); }
  /// Once done: how the body comes, and whether the client wants the connection kept.
  Framing framing() const { return framing_; }
  bool keep_alive() const { return keep_alive_; }

 private:
  friend class HeadParser;
  Rejection first_line(std::string_view line);
  Rejection parse_target(std::string_view target);
  Rejection parse_version(std::string_view text);
  Rejection field_line(std::string_view line) { return fields_.add_line(line, head_->headers, limits_); }
  Rejection finish();
  Rejection line_too_long() const { return {414, "B11", "the request line is too long"}; }

  RequestHead* head_ = nullptr;
  bool absolute_ = false;
  Framing framing_;
  bool keep_alive_ = true;
};

/// RFC 9112 §4 and §5: responses.
class ResponseParser : public HeadParser {
 public:
  using HeadParser::HeadParser;
  /// What was asked for decides what follows a head, whatever its fields say: to HEAD nothing, and to
  /// CONNECT, when it succeeds, the tunnel (RFC 9112 §6.3).
  enum class Asked : std::uint8_t { kMessage, kHead, kTunnel };
  void start(ResponseHead& into, Asked asked);
  HeadStep feed(std::string_view data) { return run(*this, data); }
  Framing framing() const { return framing_; }
  /// Whether the connection may serve another request after this response has ended.
  bool keep_alive() const { return keep_alive_; }

 private:
  friend class HeadParser;
  Rejection first_line(std::string_view line);
  Rejection field_line(std::string_view line) { return fields_.add_line(line, head_->headers, limits_); }
  Rejection finish();
  Rejection line_too_long() const { return {502, "A38", "the status line is too long"}; }

  ResponseHead* head_ = nullptr;
  Asked asked_ = Asked::kMessage;
  Framing framing_;
  bool keep_alive_ = true;
};

}  // namespace weft::http::h1

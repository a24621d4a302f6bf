#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/limits.h"
#include "http/message.h"

/// What HTTP/2 says of a message (RFC 9113 §8) as a head without its framing. nghttp2 has checked what makes
/// a head malformed: pseudo-header fields that are missing, doubled, unknown or late, upper case, fields of
/// the connection, control bytes. Here stand the limits, what both versions reject, and the rest.
namespace weft::http::h2 {

/// Counts one list of fields against its limits.
class FieldBudget {
 public:
  enum class Verdict : std::uint8_t { kTake, kBeyond, kFarBeyond };
  void start(std::uint32_t bytes, const Limits& limits) {
    max_bytes_ = bytes;
    max_fields_ = limits.fields;
    far_beyond_ = limits.far_beyond;
    bytes_ = fields_ = 0;
  }
  /// Beyond: what comes is decoded, since the state of HPACK is the connection's (RFC 9113 §4.3), and
  /// dropped. Far beyond: the peer means harm.
  Verdict take(std::string_view name, std::string_view value) {
    constexpr std::size_t kOverhead = 32;  // RFC 9113 §6.5.2
    bytes_ += name.size() + value.size() + kOverhead;
    if (!name.starts_with(':')) ++fields_;
    if (bytes_ <= max_bytes_ && fields_ <= max_fields_) return Verdict::kTake;
    const bool far = bytes_ > far_beyond_ * max_bytes_ || fields_ > far_beyond_ * max_fields_;
    return far ? Verdict::kFarBeyond : Verdict::kBeyond;
  }

 private:
  std::size_t max_bytes_ = 0, max_fields_ = 0, far_beyond_ = 0, bytes_ = 0, fields_ = 0;
};

/// Reads the head of one request, then perhaps its trailers. Pure. Owner: a connection, of which one head at
/// a time is read; reused by start().
class RequestReader {
 public:
  void start(RequestHead& into, const Limits& limits);
  void start_trailers(Headers& into, const Limits& limits);
  /// False: far beyond the limits.
  bool field(std::string_view name, std::string_view value);
  /// The verdict; `end`: no body follows. A rejection without status is one for RST_STREAM.
  Rejection finish(bool end);
  /// Of trailers.
  Rejection finish_trailers() const { return rejection_; }

 private:
  void pseudo(std::string_view name, std::string_view value);
  void regular(std::string_view name, std::string_view value);
  Rejection settle_target();
  Rejection settle_authority();

  RequestHead* head_ = nullptr;
  Headers* trailers_ = nullptr;
  Limits limits_;
  FieldBudget budget_;
  std::string host_, cookies_, protocol_;
  Rejection rejection_;
  bool expect_other_ = false;
};

/// The same for a response.
class ResponseReader {
 public:
  void start(ResponseHead& into, const Limits& limits);
  void start_trailers(Headers& into, const Limits& limits);
  bool field(std::string_view name, std::string_view value);
  Rejection finish() const;

 private:
  ResponseHead* head_ = nullptr;
  Headers* trailers_ = nullptr;
  FieldBudget budget_;
  Rejection rejection_;
};

}  // namespace weft::http::h2

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/h1/fields.h"
#include "http/rules.h"

namespace weft::http::h1 {

/// What one look at the input gave. `data` points into the bytes shown.
struct BodyStep {
  std::size_t consumed = 0;
  std::string_view data;
  bool done = false;
  Rejection rejection;
};

/// Takes a body out of its framing (RFC 9112 §6, §7.1), piece by piece, copying nothing. Trailers are
/// checked and bounded; those that may go on are kept. Pure; no I/O. Owner: a connection; reused by start().
class BodyDecoder {
 public:
  explicit BodyDecoder(const Limits& limits) : limits_(limits) {}
  void set_limits(const Limits& limits) { limits_ = limits; }
  /// `of_the_connection`: names that the head's Connection lists, which are no trailers to be sent on either
  /// (RFC 9110 §7.6.1); they outlive the body.
  void start(const Framing& framing, std::string_view of_the_connection = {});
  bool done() const { return state_ == State::kDone; }
  /// The fields behind the body, once it is done; null when there are none.
  const Headers* trailers() const {
    return trailers_ && done() && !trailers_->fields.empty() ? &trailers_->fields : nullptr;
  }
  /// A connection that waits for its next message holds none.
  void forget_trailers() { trailers_.reset(); }
  /// Call again with what was not consumed. An empty step that is not done needs more bytes.
  BodyStep decode(std::string_view input);
  /// The peer has ended its sending side. True when that is where the body ends (until-close framing).
  bool end_of_input();

 private:
  enum class State : std::uint8_t {
    kDone,
    kLength,
    kUntilClose,
    kSize,
    kSizeEnd,
    kExtensionStart,
    kExtensionName,
    kExtensionValueStart,
    kExtensionValue,
    kExtensionQuoted,
    kExtensionQuotedPair,
    kExtensionQuotedEnd,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailerName,
    kTrailerValue,
    kTrailerLf,
    kEndLf
  };
  Rejection step(char c);
  Rejection size_step(char c);
  Rejection extension_step(char c);
  Rejection trailer_step(char c);
  Rejection after_size(char c);
  Rejection take_trailer();

  Limits limits_;
  State state_ = State::kDone;
  std::uint64_t remaining_ = 0;
  std::uint32_t digits_ = 0;
  std::uint32_t extension_bytes_ = 0;
  std::uint32_t trailer_bytes_ = 0;
  /// There from the first trailer on, which few bodies have.
  struct Trailers {
    std::string line;
    Headers fields;
  };
  std::unique_ptr<Trailers> trailers_;
  std::string_view of_the_connection_;
};

}  // namespace weft::http::h1

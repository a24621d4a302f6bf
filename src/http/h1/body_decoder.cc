#include "http/h1/body_decoder.h"

#include <algorithm>
#include <utility>

#include "http/trailers.h"

namespace weft::http::h1 {
namespace {

constexpr std::uint32_t kMaxDigits = 16;
constexpr std::uint64_t kMaxChunk = std::uint64_t{1} << 62;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

}  // namespace

void BodyDecoder::start(const Framing& framing, std::string_view of_the_connection) {
  of_the_connection_ = of_the_connection;
  remaining_ = framing.length;
  digits_ = extension_bytes_ = trailer_bytes_ = 0;
  trailers_.reset();
  switch (framing.kind) {
    case Framing::Kind::kNone: state_ = State::kDone; break;
    case Framing::Kind::kLength: state_ = framing.length ? State::kLength : State::kDone; break;
    case Framing::Kind::kChunked:
      state_ = State::kSize;
      remaining_ = 0;
      break;
    case Framing::Kind::kUntilClose: state_ = State::kUntilClose; break;
  }
}

bool BodyDecoder::end_of_input() {
  if (state_ == State::kUntilClose) state_ = State::kDone;
  return done();
}

BodyStep BodyDecoder::decode(std::string_view input) {
  BodyStep result;
  while (!done() && result.consumed < input.size()) {
    const std::string_view rest = input.substr(result.consumed);
    if (state_ == State::kUntilClose) {
      result.data = rest;
      result.consumed += rest.size();
      break;
    }
    if (state_ == State::kLength || state_ == State::kData) {
      const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), remaining_));
      result.data = rest.substr(0, take);
      result.consumed += take;
      remaining_ -= take;
      if (remaining_ == 0) state_ = state_ == State::kLength ? State::kDone : State::kDataCr;
      if (state_ != State::kDataCr) break;
      // The end of the chunk, and the last chunk when it is here too, are taken in the same call, so that
      // the reader learns of the end together with the last bytes.
      while (!done() && state_ != State::kData && result.consumed < input.size()) {
        if ((result.rejection = step(input[result.consumed]))) return result;
        ++result.consumed;
      }
      break;
    }
    if ((result.rejection = step(rest.front()))) return result;
    ++result.consumed;
  }
  result.done = done();
  return result;
}

Rejection BodyDecoder::step(char c) {
  switch (state_) {
    case State::kSize:
    case State::kSizeEnd: return size_step(c);
    case State::kDataCr:
      if (c != '\r') return {400, "D08", "a chunk is longer than its size"};
      state_ = State::kDataLf;
      return {};
    case State::kDataLf:
      if (c != '\n') return {400, "D09", "a chunk's data does not end in CRLF"};
      state_ = State::kSize;
      remaining_ = 0;
      digits_ = 0;
      return {};
    case State::kTrailerStart:
    case State::kTrailerName:
    case State::kTrailerValue:
    case State::kTrailerLf:
    case State::kEndLf: return trailer_step(c);
    default: return extension_step(c);
  }
}

Rejection BodyDecoder::size_step(char c) {
  if (state_ == State::kSizeEnd) {
    if (c != '\n') return {400, "D05", "a chunk line has a CR without LF"};
    state_ = remaining_ == 0 ? State::kTrailerStart : State::kData;
    return {};
  }
  const int value = hex_value(c);
  if (value >= 0) {
    if (++digits_ > kMaxDigits) return {400, "D12", "a chunk size has too many digits"};
    remaining_ = remaining_ * 16 + static_cast<unsigned>(value);
    if (digits_ == kMaxDigits && remaining_ > kMaxChunk) return {400, "D01", "a chunk size is too large"};
    return {};
  }
  if (digits_ == 0) return {400, c == '\r' ? "D03" : "D02", "a chunk has no size"};
  if (remaining_ > kMaxChunk) return {400, "D01", "a chunk size is too large"};
  return after_size(c);
}

/// Behind a size, or behind a whole extension: another extension, or the end of the line.
Rejection BodyDecoder::after_size(char c) {
  if (c == ';') {
    state_ = State::kExtensionStart;
    return {};
  }
  if (c == '\r') {
    state_ = State::kSizeEnd;
    return {};
  }
  return {400, c == '\n' ? "D05" : "D02", "a chunk size is followed by something else"};
}

/// RFC 9112 §7.1.1; without the white space that §7.1.1 calls bad.
Rejection BodyDecoder::extension_step(char c) {
  if (++extension_bytes_ > limits_.chunk_extension_bytes)
    return {400, "D07", "chunk extensions are too long"};
  if (is_control(c) && c != '\r') return {400, "D05", "a chunk extension has a control byte"};
  switch (state_) {
    case State::kExtensionStart:
      if (!is_token_char(c)) return {400, "D04", "a chunk extension has no name"};
      state_ = State::kExtensionName;
      return {};
    case State::kExtensionName:
      if (is_token_char(c)) return {};
      if (c != '=') return after_size(c);
      state_ = State::kExtensionValueStart;
      return {};
    case State::kExtensionValueStart:
      if (c != '"' && !is_token_char(c)) return {400, "D04", "a chunk extension has no value"};
      state_ = c == '"' ? State::kExtensionQuoted : State::kExtensionValue;
      return {};
    case State::kExtensionValue: return is_token_char(c) ? Rejection{} : after_size(c);
    case State::kExtensionQuoted:
      if (c == '\r') return {400, "D06", "a quoted chunk extension holds a line end"};
      if (c == '"')
        state_ = State::kExtensionQuotedEnd;
      else if (c == '\\')
        state_ = State::kExtensionQuotedPair;
      return {};
    case State::kExtensionQuotedPair:
      if (c == '\r') return {400, "D06", "a quoted chunk extension holds a line end"};
      state_ = State::kExtensionQuoted;
      return {};
    default: return after_size(c);
  }
}

/// RFC 9112 §7.1.2: field lines, checked like those of a head.
Rejection BodyDecoder::trailer_step(char c) {
  if (++trailer_bytes_ > limits_.trailer_bytes) return {431, "D07", "the trailer section is too large"};
  switch (state_) {
    case State::kTrailerStart:
      if (c == '\r') {
        state_ = State::kEndLf;
        return {};
      }
      if (!is_token_char(c)) return {400, "D05", "a trailer field has no name"};
      state_ = State::kTrailerName;
      if (!trailers_) trailers_ = std::make_unique<Trailers>();
      trailers_->line.assign(1, c);
      return {};
    case State::kTrailerName:
      trailers_->line += c;
      if (c == ':')
        state_ = State::kTrailerValue;
      else if (!is_token_char(c))
        return {400, "D05", "a trailer field's name is malformed"};
      return {};
    case State::kTrailerValue:
      if (c == '\r')
        state_ = State::kTrailerLf;
      else if (is_control(c))
        return {400, "D05", "a trailer field has a control byte"};
      else
        trailers_->line += c;
      return {};
    default:
      if (c != '\n') return {400, "D05", "a trailer line has a CR without LF"};
      if (std::exchange(state_, state_ == State::kEndLf ? State::kDone : State::kTrailerStart) ==
          State::kEndLf)
        return {};
      return take_trailer();
  }
}

Rejection BodyDecoder::take_trailer() {
  const std::string_view line = trailers_->line;
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  const bool own = !for_each_element(
      of_the_connection_, [name](std::string_view listed) { return !equal_ignoring_case(listed, name); });
  if (own || !may_be_a_trailer(name)) return {};
  if (trailers_->fields.size() == limits_.fields) return {431, "D07", "too many trailer fields"};
  trailers_->fields.add(name, trim(line.substr(colon + 1)));
  return {};
}

}  // namespace weft::http::h1

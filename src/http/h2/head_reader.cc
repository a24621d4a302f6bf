#include "http/h2/head_reader.h"

#include <charconv>

#include "http/connection_fields.h"
#include "http/rules.h"
#include "http/trailers.h"

namespace weft::http::h2 {
namespace {

/// What stands around method and target in a request line, so that both versions have one limit.
constexpr std::size_t kAroundTarget = 10;
constexpr Rejection kTooLarge{431, "B12", "the head is too large"};
constexpr Rejection kTrailersTooLarge{431, "E03", "the trailers are too large"};

void read_length(std::string_view value, std::optional<std::uint64_t>& into) {
  std::uint64_t length = 0;
  if (std::from_chars(value.data(), value.data() + value.size(), length).ec == std::errc()) into = length;
}

/// False: far beyond the limits. Names that may not stand behind a body are dropped (RFC 9110 §6.5.1).
bool take_trailer(FieldBudget& budget, Headers& into, Rejection& rejection, std::string_view name,
                  std::string_view value) {
  const FieldBudget::Verdict verdict = budget.take(name, value);
  if (verdict != FieldBudget::Verdict::kTake) rejection = kTrailersTooLarge;
  if (!rejection && may_be_a_trailer(name)) into.add(name, value);
  return verdict != FieldBudget::Verdict::kFarBeyond;
}

}  // namespace

void RequestReader::start(RequestHead& into, const Limits& limits) {
  head_ = &into;
  head_->clear();
  head_->version = Version::k2;
  trailers_ = nullptr;
  limits_ = limits;
  budget_.start(limits.head_bytes, limits);
  host_.clear();
  cookies_.clear();
  protocol_.clear();
  rejection_ = {};
  expect_other_ = false;
}

void RequestReader::start_trailers(Headers& into, const Limits& limits) {
  trailers_ = &into;
  budget_.start(limits.trailer_bytes, limits);
  rejection_ = {};
}

bool RequestReader::field(std::string_view name, std::string_view value) {
  if (trailers_) return take_trailer(budget_, *trailers_, rejection_, name, value);
  const FieldBudget::Verdict verdict = budget_.take(name, value);
  if (verdict == FieldBudget::Verdict::kFarBeyond) return false;
  if (verdict == FieldBudget::Verdict::kBeyond && !rejection_) rejection_ = kTooLarge;
  if (rejection_) return true;
  name.front() == ':' ? pseudo(name, value) : regular(name, value);
  return true;
}

void RequestReader::pseudo(std::string_view name, std::string_view value) {
  if (name == ":method")
    head_->method = value;
  else if (name == ":path")
    head_->path = value;
  else if (name == ":scheme")
    head_->scheme = value;
  else if (name == ":authority")
    head_->authority = value;
  else if (name == ":protocol")
    protocol_ = value;
}

void RequestReader::regular(std::string_view name, std::string_view value) {
  const HeaderId known = known_field(name);
  switch (known) {
    case HeaderId::kHost: host_ = value; return;
    case HeaderId::kContentLength: return read_length(value, head_->content_length);
    case HeaderId::kCookie:
      // RFC 9113 §8.2.3: crumbs of one field.
      if (!cookies_.empty()) cookies_ += "; ";
      cookies_ += value;
      return;
    case HeaderId::kTe: head_->headers.add(HeaderId::kTe, "trailers"); return;
    case HeaderId::kExpect:
      (equal_ignoring_case(value, "100-continue") ? head_->expect_continue : expect_other_) = true;
      return;
    default: break;
  }
  if (is_of_the_connection(known)) return;
  if (known == HeaderId::kOther && is_framing_with_underscore(name))
    rejection_ = {400, "A16", "a framing field is written with an underscore"};
  else
    head_->headers.add(name, value, known);
}

Rejection RequestReader::finish(bool end) {
  if (rejection_) return rejection_;
  if (const Rejection rejection = settle_target()) return rejection;
  if (const Rejection rejection = settle_authority()) return rejection;
  if (expect_other_) return {417, "A33", "only 100-continue may be expected"};
  if (!cookies_.empty()) head_->headers.add(HeaderId::kCookie, cookies_);
  if (end) head_->expect_continue = false;
  return {};
}

/// The rules of RequestParser, for what the request line has there.
Rejection RequestReader::settle_target() {
  if (head_->method.size() > kMaxMethod) return {501, "A28", "the method is not known"};
  if (head_->method.size() + head_->path.size() + kAroundTarget > limits_.request_line_bytes)
    return {414, "B11", "the path is too long"};
  if (head_->method == "CONNECT" && protocol_.empty()) {
    if (!is_tunnel_target(head_->authority)) return {400, "B01", "the target of CONNECT is not host:port"};
    head_->content_length.reset();
    return {};
  }
  if (equal_ignoring_case(head_->scheme, "https"))
    head_->scheme = "https";
  else if (equal_ignoring_case(head_->scheme, "http"))
    head_->scheme = "http";
  else
    return {400, "B02", "the scheme is not http or https"};
  if (!is_target(head_->path)) return {400, "A28", "the path has a byte that paths may not have"};
  // A server that cuts the fragment off would see another path than the routes did.
  if (head_->path.find('#') != std::string::npos) return {400, "B16", "the path has a fragment"};
  if (protocol_.empty()) return {};
  if (!is_token(protocol_)) return {400, "F07", "the protocol is not a token"};
  // RFC 8441 §4: what HTTP/1 asks for by an Upgrade.
  head_->method = "GET";
  head_->upgrade = protocol_;
  head_->content_length.reset();
  return {};
}

/// RFC 9113 §8.3.1: who names two hosts is malformed.
Rejection RequestReader::settle_authority() {
  if (head_->authority.empty())
    head_->authority = host_;
  else if (!host_.empty() && !equal_ignoring_case(host_, head_->authority))
    return {400, "G26", "Host and :authority differ"};
  if (!is_authority(head_->authority)) return {400, "B01", "the authority is not a host"};
  return {};
}

void ResponseReader::start(ResponseHead& into, const Limits& limits) {
  head_ = &into;
  head_->clear();
  head_->version = Version::k2;
  trailers_ = nullptr;
  budget_.start(limits.head_bytes, limits);
  rejection_ = {};
}

void ResponseReader::start_trailers(Headers& into, const Limits& limits) {
  trailers_ = &into;
  budget_.start(limits.trailer_bytes, limits);
  rejection_ = {};
}

bool ResponseReader::field(std::string_view name, std::string_view value) {
  if (trailers_) return take_trailer(budget_, *trailers_, rejection_, name, value);
  const FieldBudget::Verdict verdict = budget_.take(name, value);
  if (verdict != FieldBudget::Verdict::kTake) {
    rejection_ = {502, "B12", "the head is too large"};
    return verdict != FieldBudget::Verdict::kFarBeyond;
  }
  if (name == ":status") {
    for (const char digit : value) head_->status = head_->status * 10 + (digit - '0');
    return true;
  }
  const HeaderId known = known_field(name);
  if (known == HeaderId::kContentLength)
    read_length(value, head_->content_length);
  else if (!is_of_the_connection(known))
    head_->headers.add(name, value, known);
  return true;
}

Rejection ResponseReader::finish() const {
  if (rejection_ || trailers_) return rejection_;
  // RFC 9110 §15: no class begins below, and HTTP/1 has no way to say it.
  if (head_->status < 100) return {502, "G26", "the status is not one"};
  return {};
}

}  // namespace weft::http::h2

#include "http/h1/head_parser.h"

#include <cstring>

namespace weft::http::h1 {
namespace {

/// For the preface of RFC 9113 §3.4, where codec_type is HTTP1.
constexpr std::string_view kNoHttp2 = "HTTP/2 is not spoken here, only HTTP/1";

}  // namespace

void HeadParser::restart() {
  state_ = State::kFirstLine;
  fields_.clear();
  bytes_ = 0;
  looked_at_ = 0;
  empty_line_skipped_ = false;
}

/// RFC 9112 §2.2: a CR must be followed by LF; this can be known before the line ends.
Rejection HeadParser::check_unfinished(std::string_view line) {
  const std::string_view fresh = line.substr(looked_at_);
  const auto cr = fresh.find('\r');
  if (cr != std::string_view::npos && cr + 1 < fresh.size()) return {400, "A18", "a CR without LF"};
  looked_at_ = line.size() - (cr != std::string_view::npos ? 1 : 0);
  return {};
}

template <class Parser>
HeadStep HeadParser::run(Parser& parser, std::string_view data) {
  HeadStep step;
  for (;;) {
    const std::string_view rest = data.substr(step.consumed);
    const void* found = rest.size() > looked_at_
                            ? std::memchr(rest.data() + looked_at_, '\n', rest.size() - looked_at_)
                            : nullptr;
    if (!found) {
      if (state_ == State::kFirstLine && rest.size() > limits_.request_line_bytes)
        step.rejection = parser.line_too_long();
      else if (bytes_ + rest.size() > limits_.head_bytes)
        step.rejection = {431, "B11", "the head is too large"};
      else
        step.rejection = check_unfinished(rest);
      return step;
    }
    const auto size = static_cast<std::size_t>(static_cast<const char*>(found) - rest.data());
    looked_at_ = 0;
    if (size == 0 || rest[size - 1] != '\r') {
      step.rejection = {400, "A17", "a line ends without CR"};
      return step;
    }
    const std::string_view line = rest.substr(0, size - 1);
    step.consumed += size + 1;
    bytes_ += static_cast<std::uint32_t>(size + 1);
    // Before the limit of the whole head, as it is told of a line that has not ended yet.
    if (state_ == State::kFirstLine && line.size() > limits_.request_line_bytes) {
      step.rejection = parser.line_too_long();
      return step;
    }
    if (bytes_ > limits_.head_bytes) {
      step.rejection = {431, "B12", "the head is too large"};
      return step;
    }
    if (line.find('\r') != std::string_view::npos) {
      step.rejection = {400, "A18", "a CR without LF"};
      return step;
    }
    if (state_ == State::kFirstLine) {
      if (line.empty() && !empty_line_skipped_) {
        empty_line_skipped_ = true;  // RFC 9112 §2.2: one is tolerated
        continue;
      }
      step.rejection = parser.first_line(line);
      state_ = State::kFields;
    } else if (line.empty()) {
      step.rejection = parser.finish();
      step.done = !step.rejection;
      return step;
    } else {
      step.rejection = parser.field_line(line);
    }
    if (step.rejection) return step;
  }
}

void RequestParser::start(RequestHead& into) {
  restart();
  into.clear();
  head_ = &into;
  absolute_ = false;
  framing_ = {};
  keep_alive_ = true;
}

Rejection RequestParser::first_line(std::string_view line) {
  const auto first = line.find(' ');
  const std::string_view method = line.substr(0, first);
  if (!is_token(method))
    return {400, method.find('\t') == std::string_view::npos ? "A28" : "A23", "the method is not a token"};
  if (method.size() > kMaxMethod) return {501, "A28", "the method is not known"};
  if (first == std::string_view::npos) return {400, "A27", "the request line has no target"};
  const std::string_view rest = line.substr(first + 1);
  const auto second = rest.find(' ');
  if (second == std::string_view::npos) return {400, "A27", "the request line has no version"};
  if (second == 0) return {400, "A23", "two spaces in the request line"};
  const std::string_view version = rest.substr(second + 1);
  if (version.find(' ') != std::string_view::npos || version.find('\t') != std::string_view::npos)
    return {400, "A23", "too many spaces in the request line"};
  head_->method = method;
  if (const Rejection rejection = parse_version(version)) return rejection;
  return parse_target(rest.substr(0, second));
}

/// RFC 9112 §2.3: exactly HTTP/digit.digit.
Rejection RequestParser::parse_version(std::string_view text) {
  const bool well_formed = text.size() == 8 && text.substr(0, 5) == "HTTP/" && is_digits(text.substr(5, 1)) &&
                           text[6] == '.' && is_digits(text.substr(7, 1));
  if (!well_formed) return {400, "A26", "the version is malformed"};
  if (text[5] != '1' && head_->method == "PRI") return {505, "A25", kNoHttp2};
  if (text[5] != '1') return {505, "A25", "the version is not HTTP/1"};
  head_->version = text[7] == '0' ? Version::k10 : Version::k11;
  return {};
}

/// RFC 9112 §3.2: origin, absolute, authority and asterisk form.
Rejection RequestParser::parse_target(std::string_view target) {
  if (!is_target(target)) return {400, "A28", "the target has a byte that targets may not have"};
  // A server that cuts the fragment off would see another path than the routes did.
  if (target.find('#') != std::string_view::npos) return {400, "B16", "the target has a fragment"};
  if (head_->method == "CONNECT") {
    if (!is_tunnel_target(target)) return {400, "B01", "the target of CONNECT is not host:port"};
    head_->authority = target;
    absolute_ = true;
    return {};
  }
  if (target.front() == '/' || (target == "*" && head_->method == "OPTIONS")) {
    head_->path = target;
    return {};
  }
  const auto scheme_end = target.find("://");
  if (scheme_end == std::string_view::npos) return {400, "B02", "the target is neither a path nor a URI"};
  const std::string_view scheme = target.substr(0, scheme_end);
  if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https"))
    return {400, "B02", "the target's scheme is not http or https"};
  const std::string_view rest = target.substr(scheme_end + 3);
  const auto slash = rest.find_first_of("/?");
  const std::string_view authority = rest.substr(0, slash);
  if (!is_authority(authority)) return {400, "B02", "the target's authority is malformed"};
  head_->authority = authority;
  head_->scheme = equal_ignoring_case(scheme, "http") ? "http" : "https";
  if (slash == std::string_view::npos)
    head_->path = head_->method == "OPTIONS" ? "*" : "/";  // RFC 9112 §3.2.4
  else if (rest[slash] == '?')
    head_->path = "/" + std::string(rest.substr(slash));
  else
    head_->path = rest.substr(slash);
  absolute_ = true;
  return {};
}

Rejection RequestParser::finish() {
  const bool old = head_->version == Version::k10;
  if (!fields_.has_host && !old) return {400, "B01", "there is no Host"};
  if (old && fields_.has_transfer_encoding) return {400, "A13", "Transfer-Encoding in HTTP/1.0"};
  if (const Rejection rejection = fields_.finish(head_->headers, true)) return rejection;
  if (fields_.expect_other && !old) return {417, "A33", "only 100-continue may be expected"};
  // RFC 9112 §3.2.2: an absolute target replaces Host.
  if (!absolute_) head_->authority = fields_.host;
  head_->expect_continue = fields_.expect_continue && !old;
  const bool tunnel = head_->method == "CONNECT";
  // What follows is the tunnel's, or the next request: that must not depend on who reads a length.
  if (tunnel && (fields_.has_transfer_encoding || (fields_.has_length && fields_.length)))
    return {400, "F13", "a CONNECT has no content"};
  if (fields_.has_transfer_encoding) {
    framing_ = {Framing::Kind::kChunked, 0};
  } else if (fields_.has_length && !tunnel) {
    framing_ = {fields_.length ? Framing::Kind::kLength : Framing::Kind::kNone, fields_.length};
    head_->content_length = fields_.length;
  }
  if (fields_.te_trailers) head_->headers.add(HeaderId::kTe, "trailers");
  if (fields_.connection_upgrade && !old && !fields_.upgrade.empty()) head_->upgrade = fields_.upgrade;
  keep_alive_ = !fields_.close && (!old || fields_.keep_alive);
  return {};
}

void ResponseParser::start(ResponseHead& into, Asked asked) {
  restart();
  into.clear();
  head_ = &into;
  asked_ = asked;
  framing_ = {};
  keep_alive_ = true;
}

/// RFC 9112 §4: the reason phrase may be missing, with or without the space before it.
Rejection ResponseParser::first_line(std::string_view line) {
  const bool version = line.size() >= 12 && line.substr(0, 7) == "HTTP/1." &&
                       (line[7] == '0' || line[7] == '1') && line[8] == ' ';
  if (!version || !is_digits(line.substr(9, 3)) || line[9] == '0' || (line.size() > 12 && line[12] != ' '))
    return {502, "A38", "the status line is malformed"};
  head_->version = line[7] == '0' ? Version::k10 : Version::k11;
  head_->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (line.size() > 13) head_->reason = line.substr(13);
  if (!is_field_value(head_->reason)) return {502, "A38", "the reason phrase has a control byte"};
  return {};
}

Rejection ResponseParser::finish() {
  const bool old = head_->version == Version::k10;
  const int status = head_->status;
  bool doubtful = false;
  if (fields_.has_transfer_encoding && fields_.has_length) {
    // RFC 9112 §6.3: Transfer-Encoding rules; the connection is not trusted further (rule A37).
    fields_.has_length = false;
    doubtful = true;
  }
  if (fields_.has_transfer_encoding && old) return {502, "A38", "Transfer-Encoding in HTTP/1.0"};
  if (const Rejection rejection = fields_.finish(head_->headers, false)) return rejection;
  keep_alive_ = !fields_.close && !doubtful && (!old || fields_.keep_alive);
  if (fields_.has_length) head_->content_length = fields_.length;
  if (status == 101) {
    head_->upgrade = fields_.upgrade;
    keep_alive_ = false;
    return {};
  }
  if (asked_ == Asked::kTunnel && status >= 200 && status < 300) {
    head_->content_length.reset();
    keep_alive_ = false;
    return {};
  }
  if (asked_ == Asked::kHead || status < 200 || status == 204 || status == 304) return {};
  if (fields_.has_transfer_encoding) {
    framing_ = {Framing::Kind::kChunked, 0};
  } else if (fields_.has_length) {
    framing_ = {fields_.length ? Framing::Kind::kLength : Framing::Kind::kNone, fields_.length};
  } else {
    framing_ = {Framing::Kind::kUntilClose, 0};
    keep_alive_ = false;
  }
  return {};
}

template HeadStep HeadParser::run(RequestParser&, std::string_view);
template HeadStep HeadParser::run(ResponseParser&, std::string_view);

}  // namespace weft::http::h1

#include "proxy/listener/sniff.h"

#include "http/auto_session.h"
#include "http/message.h"
#include "http/rules.h"

namespace weft::proxy {
namespace {

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// White space within a line, as lenient servers split it: Python's str.split() takes all of these in
/// ISO 8859-1.
bool is_gap(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == ' ' || c == '\t' || c == '\v' || c == '\f' || (byte >= 0x1c && byte <= 0x1f) || byte == 0x85 ||
         byte == 0xa0;
}

bool is_visible(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > ' ' && byte != 0x7f && !is_gap(c);
}

bool begins_ignoring_case(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && http::equal_ignoring_case(text.substr(0, with.size()), with);
}

/// Where the last word "HTTP/<digit>" of the line begins; npos when there is none.
std::size_t find_version(std::string_view line) {
  constexpr std::string_view kName = "HTTP/";
  for (std::size_t at = line.rfind('/'); at != line.npos && at >= kName.size();
       at = line.rfind('/', at - 1)) {
    const std::size_t begin = at + 1 - kName.size();
    const bool digit = at + 1 < line.size() && line[at + 1] >= '0' && line[at + 1] <= '9';
    if (digit && begin > 0 && is_gap(line[begin - 1]) && begins_ignoring_case(line.substr(begin), kName))
      return begin;
  }
  return line.npos;
}

/// `line` from its method on; `target`: where its target begins.
Sniffed classify(std::string_view line, std::size_t target) {
  const std::size_t version = find_version(line);
  if (version != line.npos)
    return line.substr(version).starts_with("HTTP/1.0") ? Sniffed::kHttp10 : Sniffed::kHttp11;
  const std::string_view wanted = line.substr(target);
  const bool address = wanted.starts_with('/') || begins_ignoring_case(wanted, "http://") ||
                       begins_ignoring_case(wanted, "https://");
  // HTTP/0.9 knew GET only, and servers that still take it know no other.
  const bool get = line.starts_with("GET") && is_gap(line[3]);
  return get && address ? Sniffed::kHttp11 : Sniffed::kOther;
}

}  // namespace

Sniffed Sniffer::look(std::string_view bytes) {
  if (bytes.empty()) return Sniffed::kUndecided;
  bytes = bytes.substr(0, kMax);
  if (bytes.front() == kHandshake)
    return bytes.size() < 2 ? Sniffed::kUndecided : bytes[1] == 0x03 ? Sniffed::kTls : Sniffed::kOther;
  if (bytes.starts_with(http::kHttp2Preface)) return Sniffed::kHttp2;
  if (http::kHttp2Preface.starts_with(bytes)) return Sniffed::kUndecided;
  const Sniffed seen = first_line(bytes);
  return seen == Sniffed::kUndecided && bytes.size() == kMax ? Sniffed::kHttp11 : seen;
}

Sniffed Sniffer::first_line(std::string_view bytes) {
  for (; stage_ != Stage::kLine && at_ < bytes.size(); ++at_) {
    const char c = bytes[at_];
    if (stage_ == Stage::kBlank) {
      if (is_blank(c)) continue;
      stage_ = Stage::kMethod;
      method_ = at_;
    }
    if (stage_ == Stage::kMethod) {
      if (http::is_token_char(c)) continue;
      if (at_ == method_ || !is_gap(c)) return Sniffed::kOther;
      stage_ = Stage::kGap;
    }
    if (is_gap(c)) continue;
    if (!is_visible(c)) return Sniffed::kOther;
    stage_ = Stage::kLine;
    target_ = at_;
  }
  if (stage_ != Stage::kLine) return Sniffed::kUndecided;
  const std::size_t end = bytes.find('\n', at_);
  at_ = bytes.size();
  if (end == bytes.npos) return Sniffed::kUndecided;
  return classify(bytes.substr(method_, end - method_), target_ - method_);
}

Sniffed Sniffer::at_end(std::string_view bytes) const {
  if (stage_ != Stage::kLine) return Sniffed::kOther;
  return classify(bytes.substr(method_), target_ - method_);
}

Sniffed Sniffer::when_late(std::string_view bytes) const {
  return bytes.starts_with(kHandshake) ? Sniffed::kOther : Sniffed::kHttp11;
}

}  // namespace weft::proxy

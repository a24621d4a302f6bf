#include "proxy/listener/sniff.h"

namespace weft::proxy {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::size_t kLongestMethod = 32;
constexpr std::size_t kLongestLine = 8 * 1024;

bool is_method_byte(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

}  // namespace

Sniffed sniff(std::string_view bytes) {
  if (bytes.empty()) return Sniffed::kUndecided;
  if (bytes.front() == 0x16)
    return bytes.size() < 2 ? Sniffed::kUndecided : bytes[1] == 0x03 ? Sniffed::kTls : Sniffed::kOther;
  const std::string_view begun = bytes.substr(0, kPreface.size());
  if (begun == kPreface.substr(0, begun.size()) && bytes.size() > 3)
    return begun.size() == kPreface.size() ? Sniffed::kHttp2 : Sniffed::kUndecided;
  std::size_t at = 0;
  while (at < bytes.size() && is_method_byte(bytes[at])) ++at;
  if (at == bytes.size()) return at > kLongestMethod ? Sniffed::kOther : Sniffed::kUndecided;
  if (at == 0 || bytes[at] != ' ') return Sniffed::kOther;
  const auto line_end = bytes.find('\n');
  const std::string_view line = bytes.substr(0, line_end);
  for (const char c : line)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\r' && c != '\t') return Sniffed::kOther;
  const auto version = line.rfind(" HTTP/1.");
  if (version != std::string_view::npos && version + 8 < line.size())
    return line[version + 8] == '0' ? Sniffed::kHttp10 : Sniffed::kHttp11;
  if (line_end != std::string_view::npos || bytes.size() > kLongestLine) return Sniffed::kOther;
  return Sniffed::kUndecided;
}

}  // namespace weft::proxy

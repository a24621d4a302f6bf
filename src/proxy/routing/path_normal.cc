#include "proxy/routing/path_normal.h"

#include <array>
#include <cstdint>

namespace weft::proxy {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The byte that text[at...] encodes, or -1.
int decoded(std::string_view text, std::size_t at) {
  if (text.size() - at < 3 || text[at] != '%') return -1;
  const int high = hex_digit(text[at + 1]), low = hex_digit(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/// A '%' that servers read differently: it encodes nothing, or a NUL.
bool has_bad_escape(std::string_view path) {
  for (std::size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 3))
    if (decoded(path, at) <= 0) return true;
  return false;
}

/// RFC 3986 §2.3.
bool unreserved(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

/// Not allowed in a path (RFC 3986 §3.3), but for the brackets, which Envoy leaves too. A '%' that encodes
/// nothing would with what is decoded behind it encode something for the next reader.
constexpr bool to_encode(unsigned char c) {
  return c <= 0x20 || c >= 0x7f || c == '"' || c == '#' || c == '%' || c == '<' || c == '>' || c == '^' ||
         c == '`' || c == '{' || c == '|' || c == '}';
}

/// Bytes that make a path not normal, or may. A dot does so only behind a slash: see usual().
constexpr std::array<bool, 256> kSuspicious = [] {
  std::array<bool, 256> table{};
  for (unsigned c = 0; c < 256; ++c) table[c] = to_encode(static_cast<unsigned char>(c)) || c == '\\';
  return table;
}();

/// Nothing in it is for normal_path to change: nearly every path, found out in one pass.
bool usual(std::string_view path) {
  char before = 0;
  for (const char c : path) {
    if (kSuspicious[static_cast<unsigned char>(c)] || (c == '.' && before == '/')) return false;
    before = c;
  }
  return true;
}

void append_encoded(std::string& out, unsigned char c) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  const char text[3] = {'%', kHex[c >> 4], kHex[c & 15]};
  out.append(text, sizeof text);
}

/// Replaces "%2F" and "%5C" by what they stand for; whether there were any.
bool unescape_slashes(std::string& path, std::size_t end) {
  if (path.find('%') >= end) return false;
  std::string out;
  bool found = false;
  for (std::size_t i = 0; i < end; ++i) {
    const int byte = decoded(std::string_view(path).substr(0, end), i);
    if (byte == '/' || byte == '\\') {
      out += static_cast<char>(byte);
      found = true;
      i += 2;
    } else {
      out += path[i];
    }
  }
  if (found) path = out.append(path, end, std::string::npos);
  return found;
}

/// Takes the last segment away, never the first slash.
void remove_last_segment(std::string& out) {
  out.pop_back();
  const auto slash = out.rfind('/');
  out.resize(slash == std::string::npos ? 0 : slash);
  out += '/';
}

/// A segment is over, or the path: "." and ".." act and go, with parameters too: servers that cut these off
/// would find the dots then. `begin`: where in `out` it begins.
void end_segment(std::string& out, std::size_t begin, bool slash_follows) {
  std::string_view segment = std::string_view(out).substr(begin);
  segment = segment.substr(0, segment.find(';'));
  if (segment == ".") {
    out.resize(begin);
  } else if (segment == "..") {
    out.resize(begin);
    remove_last_segment(out);
  } else if (slash_follows) {
    out += '/';
  }
}

}  // namespace

std::string normal_path(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  out += '/';
  std::size_t segment = 1;
  for (std::size_t i = 1; i < path.size(); ++i) {
    const char c = path[i];
    const int byte = decoded(path, i);
    if (c == '/' || c == '\\') {
      end_segment(out, segment, true);
      segment = out.size();
    } else if (byte >= 0) {
      if (unreserved(static_cast<unsigned char>(byte)))
        out += static_cast<char>(byte);
      else
        out.append(path.substr(i, 3));
      i += 2;
    } else if (to_encode(static_cast<unsigned char>(c))) {
      append_encoded(out, static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  end_segment(out, segment, false);
  return out;
}

std::string merged_slashes(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (const char c : path)
    if (c != '/' || out.empty() || out.back() != '/') out += c;
  return out;
}

PathVerdict settle_path(std::string& path, const HttpConfig& config) {
  if (path.empty() || path.front() != '/') return PathVerdict::kForward;
  using Slashes = HttpConfig::EscapedSlashes;
  PathVerdict verdict = PathVerdict::kForward;
  if (has_bad_escape(std::string_view(path).substr(0, path.find('?')))) return PathVerdict::kReject;
  const auto end_of_path = [&path] { return std::min(path.find('?'), path.size()); };
  if (config.escaped_slashes != Slashes::kKeep && unescape_slashes(path, end_of_path())) {
    if (config.escaped_slashes == Slashes::kReject) return PathVerdict::kReject;
    if (config.escaped_slashes == Slashes::kUnescapeAndRedirect) verdict = PathVerdict::kRedirect;
  }
  if (config.normalize_path) {
    const std::size_t end = end_of_path();
    if (!usual(std::string_view(path).substr(0, end))) path.replace(0, end, normal_path({path.data(), end}));
  }
  if (config.merge_slashes) {
    const std::size_t end = end_of_path();
    if (path.find("//") < end) path.replace(0, end, merged_slashes({path.data(), end}));
  }
  return verdict;
}

}  // namespace weft::proxy

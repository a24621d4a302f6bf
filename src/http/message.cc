#include "http/message.h"

#include <array>
#include <cstring>

#include "base/error.h"

namespace weft::http {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(HeaderId::kCount)> kNames = {
    "",
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "upgrade",
    "expect",
    "keep-alive",
    "te",
    "trailer",
    "proxy-connection",
    "user-agent",
    "cookie",
    "server",
    "date",
    "x-request-id",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
    "b3",
    "traceparent",
    "tracestate",
    "x-envoy-upstream-service-time",
    "x-envoy-attempt-count",
    "x-envoy-original-path",
    "x-envoy-decorator-operation"};

constexpr std::size_t kMaxName = 29;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// Which known fields have a name of each length; a name is compared with those only.
struct ByLength {
  std::array<std::array<HeaderId, 8>, kMaxName + 1> of{};
  std::array<std::uint8_t, kMaxName + 1> count{};
  consteval ByLength() {
    for (std::size_t i = 1; i < kNames.size(); ++i) {
      const std::size_t length = kNames[i].size();
      of[length][count[length]++] = static_cast<HeaderId>(i);
    }
  }
};
constexpr ByLength kByLength;

/// Eight bytes with their ASCII capitals made small.
std::uint64_t lower(std::uint64_t bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kTops = kOnes * 0x80;
  const std::uint64_t ascii = bytes & ~kTops;
  const std::uint64_t from_a = ascii + kOnes * (0x80 - 'A'), beyond_z = ascii + kOnes * (0x7f - 'Z');
  const std::uint64_t capitals = from_a & ~beyond_z & ~bytes & kTops;
  return bytes | (capitals >> 2);
}

std::uint64_t lower_word(const char* eight) {
  std::uint64_t bytes;
  std::memcpy(&bytes, eight, sizeof bytes);
  return lower(bytes);
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  if (size < kWord) {
    for (std::size_t i = 0; i < size; ++i)
      if (lower(a[i]) != lower(b[i])) return false;
    return true;
  }
  for (std::size_t i = 0; i + kWord < size; i += kWord)
    if (lower_word(a.data() + i) != lower_word(b.data() + i)) return false;
  return lower_word(a.data() + size - kWord) == lower_word(b.data() + size - kWord);
}

std::string_view name_of(HeaderId known) { return kNames[static_cast<std::size_t>(known)]; }

HeaderId known_field(std::string_view name) {
  if (name.empty() || name.size() > kMaxName) return HeaderId::kOther;
  const char first = lower(name[0]);
  for (std::size_t i = 0; i < kByLength.count[name.size()]; ++i) {
    const HeaderId candidate = kByLength.of[name.size()][i];
    const std::string_view known = name_of(candidate);
    if (known[0] == first && equal_ignoring_case(known, name)) return candidate;
  }
  return HeaderId::kOther;
}

void Headers::clear() {
  bytes_.clear();
  entries_.clear();
}

void Headers::add(std::string_view name, std::string_view value, HeaderId known) {
  Entry entry;
  entry.name_at = static_cast<std::uint32_t>(bytes_.size());
  entry.name_size = static_cast<std::uint32_t>(name.size());
  bytes_.append(name);
  entry.value_at = static_cast<std::uint32_t>(bytes_.size());
  entry.value_size = static_cast<std::uint32_t>(value.size());
  bytes_.append(value);
  entry.known = known;
  entries_.push_back(entry);
}

void Headers::add(std::string_view name, std::string_view value) { add(name, value, known_field(name)); }

void Headers::add(HeaderId known, std::string_view value) { add(name_of(known), value, known); }

void Headers::set(std::string_view name, std::string_view value, HeaderId known) {
  bool placed = false;
  for (std::size_t i = 0; i < entries_.size();) {
    const bool same =
        known != HeaderId::kOther ? entries_[i].known == known : equal_ignoring_case((*this)[i].name, name);
    if (!same) {
      ++i;
    } else if (placed) {
      entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      entries_[i].value_at = static_cast<std::uint32_t>(bytes_.size());
      entries_[i].value_size = static_cast<std::uint32_t>(value.size());
      bytes_.append(value);
      placed = true;
      ++i;
    }
  }
  if (!placed) add(name, value, known);
}

void Headers::set(std::string_view name, std::string_view value) { set(name, value, known_field(name)); }

void Headers::set(HeaderId known, std::string_view value) { set(name_of(known), value, known); }

std::size_t Headers::remove(std::string_view name) {
  const HeaderId known = known_field(name);
  if (known != HeaderId::kOther) return remove(known);
  return std::erase_if(entries_, [&](const Entry& entry) {
    return entry.known == HeaderId::kOther &&
           equal_ignoring_case(std::string_view(bytes_).substr(entry.name_at, entry.name_size), name);
  });
}

std::size_t Headers::remove(HeaderId known) {
  return std::erase_if(entries_, [&](const Entry& entry) { return entry.known == known; });
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  const HeaderId known = known_field(name);
  if (known != HeaderId::kOther) return get(known);
  for (const Entry& entry : entries_) {
    if (entry.known != HeaderId::kOther || entry.name_size != name.size()) continue;
    if (equal_ignoring_case(std::string_view(bytes_).substr(entry.name_at, entry.name_size), name))
      return std::string_view(bytes_).substr(entry.value_at, entry.value_size);
  }
  return std::nullopt;
}

std::optional<std::string_view> Headers::get(HeaderId known) const {
  for (const Entry& entry : entries_)
    if (entry.known == known) return std::string_view(bytes_).substr(entry.value_at, entry.value_size);
  return std::nullopt;
}

std::size_t Headers::count(HeaderId known) const {
  std::size_t found = 0;
  for (const Entry& entry : entries_) found += entry.known == known;
  return found;
}

Headers::Field Headers::operator[](std::size_t index) const {
  const Entry& entry = entries_[index];
  const std::string_view all(bytes_);
  return {all.substr(entry.name_at, entry.name_size), all.substr(entry.value_at, entry.value_size),
          entry.known};
}

void RequestHead::clear() {
  method.clear();
  path.clear();
  scheme.clear();
  authority.clear();
  version = Version::k11;
  headers.clear();
  content_length.reset();
  upgrade.clear();
  expect_continue = false;
}

void ResponseHead::clear() {
  status = 0;
  reason.clear();
  version = Version::k11;
  headers.clear();
  content_length.reset();
  upgrade.clear();
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 102: return "Processing";
    case 103: return "Early Hints";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 203: return "Non-Authoritative Information";
    case 204: return "No Content";
    case 205: return "Reset Content";
    case 206: return "Partial Content";
    case 207: return "Multi-Status";
    case 300: return "Multiple Choices";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 413: return "Payload Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 418: return "I'm a teapot";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Entity";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

}  // namespace weft::http

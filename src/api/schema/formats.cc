#include "api/schema/formats.h"

#include <arpa/inet.h>
#include <re2/re2.h>

#include <algorithm>

#include "api/duration.h"
#include "api/grpc_status.h"
#include "base/base64.h"
#include "base/regex_limit.h"
#include "base/strings.h"

namespace weft::api {
namespace {

bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool letter(char c) { return lower(c) || (c >= 'A' && c <= 'Z'); }
bool digit(char c) { return c >= '0' && c <= '9'; }

bool is_control(char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }

/// Letters or digits at both ends, and `inner` also between them.
bool framed(std::string_view text, std::size_t limit, bool upper, std::string_view inner) {
  auto edge = [&](char c) { return digit(c) || (upper ? letter(c) : lower(c)); };
  return !text.empty() && text.size() <= limit && edge(text.front()) && edge(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return edge(c) || inner.find(c) != inner.npos; });
}

bool is_label(std::string_view text) { return framed(text, 63, false, "-"); }

bool is_subdomain(std::string_view text) {
  if (text.size() > 253) return false;
  // Kubernetes limits the whole only: a rule's name may be one part of 64 letters.
  return std::ranges::all_of(split(text, '.'),
                             [](std::string_view part) { return framed(part, 253, false, "-"); });
}

bool is_host(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  return std::ranges::all_of(split(text, '.'),
                             [](std::string_view part) { return framed(part, 63, true, "-_"); });
}

std::string unless(bool right, const char* rule) { return right ? std::string() : std::string(rule); }

constexpr const char* kLabelRule =
    "must be a DNS label: lower-case letters, digits and '-', at most 63, a letter or digit at both ends";
constexpr const char* kSubdomainRule =
    "must be a DNS name: lower-case letters, digits, '-' and '.', at most 253, a letter or digit at both "
    "ends";

}  // namespace

std::string grpc_status_name(std::string_view text) {
  return unless(grpc_status_number(text).has_value(),
                "must be the name of a gRPC status, such as UNAVAILABLE or NOT_FOUND");
}

std::string dns_label(std::string_view text) { return unless(is_label(text), kLabelRule); }
std::string dns_subdomain(std::string_view text) { return unless(is_subdomain(text), kSubdomainRule); }

std::string service_name(std::string_view text) {
  return unless(
      is_label(text) && lower(text.front()),
      "must be a DNS label that begins with a letter: lower-case letters, digits and '-', at most 63");
}

std::string port_name(std::string_view text) {
  bool right =
      framed(text, 15, false, "-") && text.find("--") == text.npos && std::ranges::any_of(text, letter);
  return unless(
      right, "must be a port's name: lower-case letters, digits and single '-', at most 15, with a letter");
}

std::string port_name_or_number(std::string_view text) {
  if (!text.empty() && std::ranges::all_of(text, digit))
    return "must be a number without quotes, or a port's name";
  return port_name(text);
}

std::string percentage(std::string_view text) {
  bool right = text.size() > 1 && text.size() < 6 && text.back() == '%' &&
               std::ranges::all_of(text.substr(0, text.size() - 1), digit);
  return unless(right, "must be a number without quotes, or a percentage such as 25%");
}

std::string label_key(std::string_view text) {
  auto slash = text.find('/');
  std::string_view name = slash == text.npos ? text : text.substr(slash + 1);
  bool right = framed(name, 63, true, "-_.") && (slash == text.npos || is_subdomain(text.substr(0, slash)));
  return unless(
      right, "must be a name such as app or example.com/app: letters, digits, '-', '_' and '.', at most 63");
}

std::string label_value(std::string_view text) {
  return unless(
      text.empty() || framed(text, 63, true, "-_."),
      "must be empty or letters, digits, '-', '_' and '.', at most 63, a letter or digit at both ends");
}

std::string environment_name(std::string_view text) {
  bool right = !text.empty() && !digit(text.front()) && std::ranges::all_of(text, [](char c) {
    return letter(c) || digit(c) || c == '_' || c == '-' || c == '.';
  });
  return unless(right,
                "must be a variable's name: letters, digits, '_', '-' and '.', not beginning with a digit");
}

std::string config_key(std::string_view text) {
  bool right = !text.empty() && text.size() <= 253 && text != "." && text != ".." &&
               std::ranges::all_of(
                   text, [](char c) { return letter(c) || digit(c) || c == '_' || c == '-' || c == '.'; });
  return unless(right, "must be a key: letters, digits, '-', '_' and '.', at most 253");
}

std::string base64(std::string_view text) {
  // Padding is asked for, and the alphabet of file names is not taken: as the API server does.
  const std::size_t written =
      static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return c != '\n' && c != '\r'; }));
  const bool right = written % 4 == 0 && text.find_first_of("-_") == text.npos && decode_base64(text);
  return unless(right, "must be base64; plain texts go to stringData");
}

std::string absolute_path(std::string_view text) {
  return unless(text.starts_with('/') && text.find('\0') == text.npos, "must begin with /");
}

std::string ip_address(std::string_view text) {
  unsigned char bytes[16];
  std::string copy(text);
  bool right = inet_pton(AF_INET, copy.c_str(), bytes) == 1 || inet_pton(AF_INET6, copy.c_str(), bytes) == 1;
  return unless(right && copy.size() < 46 && copy.find('\0') == copy.npos,
                "must be an IP address such as 10.0.0.1");
}

std::string duration(std::string_view text) {
  auto parsed = parse_duration(text);
  if (!parsed) return "must be a duration such as 1.5s, 300ms or 1h2m";
  return unless(parsed->count() > 0, "must be longer than zero");
}

std::string duration_or_zero(std::string_view text) {
  return unless(parse_duration(text).has_value(), "must be a duration such as 1.5s, 300ms or 1h2m");
}

std::string quantity_text(std::string_view text) {
  constexpr std::string_view kSuffixes[] = {"",  "n", "u",  "m",  "k",  "M",  "G",  "T",
                                            "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  std::string_view body = text;
  if (body.starts_with('+') || body.starts_with('-')) body.remove_prefix(1);
  auto end = std::min(body.find_first_not_of("0123456789."), body.size());
  std::string_view number = body.substr(0, end);
  std::string_view suffix = body.substr(end);
  bool exponent = suffix.size() > 1 && (suffix[0] == 'e' || suffix[0] == 'E') &&
                  suffix.substr(1).find_first_not_of("0123456789+-") == suffix.npos;
  bool right = std::ranges::any_of(number, digit) && std::ranges::count(number, '.') <= 1 &&
               text.size() <= 64 && (exponent || std::ranges::find(kSuffixes, suffix) != std::end(kSuffixes));
  return unless(right, "must be a quantity such as 100m, 0.5, 128Mi or 1Gi");
}

std::string regex(std::string_view text) {
  // It would match nothing but an empty text, which no path, host or method is.
  if (text.empty()) return not_empty(text);
  if (text.size() > kMaxRegex) return "must have at most " + std::to_string(kMaxRegex) + " bytes";
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  RE2 compiled(re2::StringPiece(text.data(), text.size()), options);
  return compiled.ok() ? std::string() : "must be an RE2 regular expression: " + compiled.error();
}

std::string host(std::string_view text) {
  return unless(is_host(text), "must be a host name such as reviews or reviews.default.svc.cluster.local");
}

std::string host_or_wildcard(std::string_view text) {
  bool right = text == "*" || (text.starts_with("*.") ? is_host(text.substr(2)) : is_host(text));
  return unless(right, "must be a host name, * or a name that begins with *.");
}

std::string gateway_host(std::string_view text) {
  auto slash = text.find('/');
  if (slash == text.npos) return host_or_wildcard(text);
  std::string_view ns = text.substr(0, slash);
  if (ns != "*" && ns != "." && !is_label(ns)) return "must have a namespace, . or * before the /";
  return host_or_wildcard(text.substr(slash + 1));
}

std::string gateway_name(std::string_view text) {
  auto slash = text.find('/');
  std::string_view ns = text.substr(0, slash);
  bool right = slash == text.npos ? is_subdomain(text)
                                  : (ns == "." || is_label(ns)) && is_subdomain(text.substr(slash + 1));
  return unless(right, "must be mesh, a gateway's name, namespace/name or ./name");
}

std::string export_to(std::string_view text) {
  return unless(text == "*" || text == ".",
                "must be \"*\" or \".\"; weft does not export to single namespaces yet");
}

std::string header_name(std::string_view text) {
  constexpr std::string_view kPunctuation = "!#$%&'*+-.^_`|~";
  bool right = !text.empty() && std::ranges::all_of(text, [&](char c) {
    return letter(c) || digit(c) || kPunctuation.find(c) != kPunctuation.npos;
  });
  const bool pseudo = text == ":authority" || text == ":method" || text == ":path" || text == ":scheme";
  return unless(right || pseudo, "must be a header's name, or :authority, :method, :path or :scheme");
}

std::string changed_header(std::string_view text) {
  if (!header_name(text).empty()) return header_name(text);
  return unless(
      !text.starts_with(':') || text == ":authority",
      "is not a header that can be changed; write :authority or host for the host, and rewrite.uri for "
      "the path");
}

std::string header_value(std::string_view text) {
  if (text.empty())
    return "must not be empty, which changes nothing; to take the header away write it under remove";
  return unless(std::ranges::none_of(text, [](char c) { return is_control(c) && c != '\t'; }),
                "must be one line without control characters; in YAML write >- in place of | or >");
}

std::string authority(std::string_view text) {
  constexpr std::string_view kMarks = "-._~!$&'()*+,;=:[]%";
  const bool right = !text.empty() && text.size() <= 261 && std::ranges::all_of(text, [&](char c) {
    return letter(c) || digit(c) || kMarks.find(c) != kMarks.npos;
  });
  return unless(right, "must be a host, perhaps with a port, such as reviews:9080");
}

std::string request_target(std::string_view text) {
  return text.find('#') == text.npos ? location_path(text) : std::string("must not have a fragment (#)");
}

std::string location_path(std::string_view text) {
  if (!text.starts_with('/')) return "must begin with /";
  return unless(std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; }),
                "must be a path without spaces, control characters and letters beyond ASCII; write those as "
                "%20 and the like");
}

std::string url_scheme(std::string_view text) {
  const bool right = !text.empty() && letter(text.front()) && std::ranges::all_of(text, [](char c) {
    return letter(c) || digit(c) || c == '+' || c == '-' || c == '.';
  });
  return unless(right, "must be a scheme such as https");
}

std::string one_line(std::string_view text) {
  return unless(std::ranges::none_of(text, is_control), "must be one line without control characters");
}

std::string not_empty(std::string_view text) { return unless(!text.empty(), "must not be empty"); }

}  // namespace weft::api

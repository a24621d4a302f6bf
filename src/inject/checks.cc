#include "inject/checks.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/strings.h"

namespace weft::inject {
namespace {

bool is_range(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos) return false;
  const std::string address(text.substr(0, slash));
  unsigned char bytes[16];
  const bool v4 = inet_pton(AF_INET, address.c_str(), bytes) == 1;
  const bool v6 = inet_pton(AF_INET6, address.c_str(), bytes) == 1;
  return (v4 || v6) && number(text.substr(slash + 1), 0, v4 ? 32 : 128);
}

template <class Right>
std::string each(std::string_view list, Right right, std::string_view rule) {
  if (list.empty()) return {};
  for (const std::string_view part : split(list, ','))
    if (!right(trim(part))) return std::string(rule) + "; \"" + std::string(cut(part, 60)) + "\" is not";
  return {};
}

}  // namespace

std::optional<int> number(std::string_view text, int min, int max) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < min || value > max) return {};
  if (text.starts_with('-')) return {};
  return value;
}

double quantity(std::string_view text) {
  struct Suffix {
    std::string_view name;
    double factor;
  };
  static constexpr std::array<Suffix, 16> kSuffixes = {{{"", 1},
                                                        {"n", 1e-9},
                                                        {"u", 1e-6},
                                                        {"m", 1e-3},
                                                        {"k", 1e3},
                                                        {"M", 1e6},
                                                        {"G", 1e9},
                                                        {"T", 1e12},
                                                        {"P", 1e15},
                                                        {"E", 1e18},
                                                        {"Ki", 0x1p10},
                                                        {"Mi", 0x1p20},
                                                        {"Gi", 0x1p30},
                                                        {"Ti", 0x1p40},
                                                        {"Pi", 0x1p50},
                                                        {"Ei", 0x1p60}}};
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return 0;
  const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto* const suffix = std::ranges::find(kSuffixes, rest, &Suffix::name);
  return suffix == kSuffixes.end() ? 0 : value * suffix->factor;
}

std::string ranges(std::string_view text) {
  return each(text, is_range, "must be a list of ranges such as 10.0.0.0/8,fd00::/8");
}

std::string ranges_or_all(std::string_view text) { return text == "*" ? "" : ranges(text); }

std::string ports(std::string_view text) {
  return each(
      text, [](std::string_view part) { return number(part, 1, 65535).has_value(); },
      "must be a list of ports such as 80,8080");
}

std::string ports_or_all(std::string_view text) { return text == "*" ? "" : ports(text); }

std::string interfaces(std::string_view text) {
  return each(
      text,
      [](std::string_view part) {
        return !part.empty() && part.size() < 16 && part.find_first_of("/ \t\n") == part.npos;
      },
      "must be a list of interfaces such as eth1,net2");
}

std::string boolean(std::string_view text) {
  return text == "true" || text == "false" ? "" : "must be \"true\" or \"false\"";
}

std::string level(std::string_view text) {
  for (const std::string_view known : {"trace", "debug", "info", "warning", "error", "critical", "off"})
    if (text == known) return {};
  return "must be trace, debug, info, warning, error, critical or off";
}

std::string status_port(std::string_view text) {
  const auto port = number(text, 0, 65535);
  if (!port) return "must be a port, or 0 for none";
  for (const int other : {15000, 15001, 15006, 15021, 15090})
    if (*port == other) return "is another port of the sidecar's; 15020 is the usual one";
  return {};
}

std::string seconds(std::string_view text) {
  return number(text, 0, 100'000) ? "" : "must be a number without a unit";
}

std::string count(std::string_view text) { return number(text, 1, 100'000) ? "" : "must be a number from 1"; }

std::string stale_endpoint_wait(std::string_view text) {
  return number(text, 0, 3600) ? "" : "must be seconds from 0 (no wait) to 3600, without a unit";
}

std::string packed(std::string_view list) {
  std::string out;
  if (list.empty()) return out;
  for (const std::string_view part : split(list, ',')) {
    if (!out.empty()) out += ',';
    out += trim(part);
  }
  return out;
}

}  // namespace weft::inject

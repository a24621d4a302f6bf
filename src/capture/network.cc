#include "capture/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace weft::capture {
namespace {

/// Clears the bits behind the prefix.
void mask(Network& network) {
  for (std::size_t i = 0; i < network.bytes.size(); ++i) {
    const int kept = std::clamp(network.prefix - static_cast<int>(i) * 8, 0, 8);
    network.bytes[i] &= static_cast<std::uint8_t>(0xff00 >> kept);
  }
}

}  // namespace

Network Network::of(std::uint32_t address) {
  Network made{.family = Family::kIpv4, .bytes = {}, .prefix = 32};
  for (int i = 0; i < 4; ++i)
    made.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(address >> (24 - 8 * i));
  return made;
}

Result<Network> Network::parse(std::string_view text) {
  const auto wrong = [&] {
    return fail(Error::config(
        Code::kInvalid,
        "'" + std::string(text) + "' is not a range of addresses; valid are 10.0.0.0/8 or fd00::/8"));
  };
  const auto slash = text.find('/');
  const std::string address(text.substr(0, slash));
  Network made;
  if (::inet_pton(AF_INET, address.c_str(), made.bytes.data()) == 1)
    made.family = Family::kIpv4;
  else if (::inet_pton(AF_INET6, address.c_str(), made.bytes.data()) == 1)
    made.family = Family::kIpv6;
  else
    return wrong();
  unsigned prefix = static_cast<unsigned>(made.size() * 8);
  if (slash != text.npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (error != std::errc() || end != digits.data() + digits.size() || prefix > made.size() * 8)
      return wrong();
  }
  made.prefix = static_cast<std::uint8_t>(prefix);
  mask(made);
  return made;
}

bool Network::contains(const Network& other) const {
  if (family != other.family || prefix > other.prefix) return false;
  Network wider = other;
  wider.prefix = prefix;
  mask(wider);
  return wider.bytes == bytes;
}

bool Network::is_loopback() const {
  if (family == Family::kIpv4) return bytes[0] == 127;
  return std::ranges::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t byte) { return byte == 0; }) &&
         bytes.back() == 1;
}

std::string Network::address() const {
  char text[INET6_ADDRSTRLEN];
  return ::inet_ntop(family == Family::kIpv4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
}

std::string Network::to_string() const {
  return is_one_address() ? address() : address() + "/" + std::to_string(prefix);
}

}  // namespace weft::capture

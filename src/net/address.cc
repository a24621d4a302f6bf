#include "net/address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstddef>
#include <cstring>

namespace weft::net {

Result<Address> Address::parse_ip(std::string_view ip, std::uint16_t port) {
  const std::string text(ip);
  Address address;
  if (inet_pton(AF_INET, text.c_str(), &address.storage_.v4.sin_addr) == 1) {
    address.storage_.v4.sin_family = AF_INET;
    address.storage_.v4.sin_port = htons(port);
    address.length_ = sizeof(sockaddr_in);
    return address;
  }
  address = Address();
  if (inet_pton(AF_INET6, text.c_str(), &address.storage_.v6.sin6_addr) == 1) {
    address.storage_.v6.sin6_family = AF_INET6;
    address.storage_.v6.sin6_port = htons(port);
    address.length_ = sizeof(sockaddr_in6);
    return address;
  }
  return fail(Error::config(Code::kInvalid, "'" + text + "' is not an IPv4 or IPv6 address"));
}

Result<Address> Address::parse_ip_port(std::string_view text) {
  const auto colon = text.rfind(':');
  unsigned port = 0;
  if (colon != std::string_view::npos) {
    const auto digits = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error == std::errc() && end == digits.data() + digits.size() && !digits.empty() && port <= 65535) {
      std::string_view ip = text.substr(0, colon);
      if (ip.size() > 1 && ip.front() == '[' && ip.back() == ']') ip = ip.substr(1, ip.size() - 2);
      return parse_ip(ip, static_cast<std::uint16_t>(port));
    }
  }
  return fail(Error::config(Code::kInvalid,
                            "'" + std::string(text) + "' is not an address and port such as 127.0.0.1:8080"));
}

Result<Address> Address::unix_path(std::string_view path) {
  Address address;
  if (path.empty() || path.size() >= sizeof address.storage_.local.sun_path)
    return fail(Error::config(Code::kTooLarge, "a Unix socket's path has 1 to 107 bytes, '" +
                                                   std::string(path) + "' has " +
                                                   std::to_string(path.size())));
  address.storage_.local.sun_family = AF_UNIX;
  std::memcpy(address.storage_.local.sun_path, path.data(), path.size());
  address.length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

Address Address::from(const sockaddr* source, socklen_t length) {
  Address address;
  if (length > sizeof address.storage_) length = sizeof address.storage_;
  std::memcpy(&address.storage_, source, length);
  address.length_ = length;
  // A dual-stack socket reports IPv4 peers as ::ffff:a.b.c.d; people and rules mean a.b.c.d.
  if (address.family() == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address.storage_.v6.sin6_addr)) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = address.storage_.v6.sin6_port;
    std::memcpy(&v4.sin_addr, address.storage_.v6.sin6_addr.s6_addr + 12, 4);
    address.storage_.v4 = v4;
    address.length_ = sizeof v4;
  }
  return address;
}

bool Address::is_any() const {
  if (is_v4()) return storage_.v4.sin_addr.s_addr == INADDR_ANY;
  return family() == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&storage_.v6.sin6_addr);
}

bool Address::is_loopback() const {
  if (is_v4()) return (ntohl(storage_.v4.sin_addr.s_addr) >> 24) == 127;
  return family() == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&storage_.v6.sin6_addr);
}

std::uint16_t Address::port() const {
  if (is_v4()) return ntohs(storage_.v4.sin_port);
  if (family() == AF_INET6) return ntohs(storage_.v6.sin6_port);
  return 0;
}

Address Address::with_port(std::uint16_t port) const {
  Address copy = *this;
  if (is_v4())
    copy.storage_.v4.sin_port = htons(port);
  else if (family() == AF_INET6)
    copy.storage_.v6.sin6_port = htons(port);
  return copy;
}

std::string Address::ip() const {
  char text[INET6_ADDRSTRLEN];
  if (is_v4() && inet_ntop(AF_INET, &storage_.v4.sin_addr, text, sizeof text)) return text;
  if (family() == AF_INET6 && inet_ntop(AF_INET6, &storage_.v6.sin6_addr, text, sizeof text)) return text;
  return {};
}

std::string Address::to_string() const {
  if (is_v4()) return ip() + ":" + std::to_string(port());
  if (family() == AF_INET6) return "[" + ip() + "]:" + std::to_string(port());
  if (is_unix()) return storage_.local.sun_path;
  return "-";
}

bool Address::operator==(const Address& other) const {
  if (family() != other.family()) return false;
  if (is_v4())
    return storage_.v4.sin_addr.s_addr == other.storage_.v4.sin_addr.s_addr &&
           storage_.v4.sin_port == other.storage_.v4.sin_port;
  if (family() == AF_INET6)
    return port() == other.port() &&
           std::memcmp(&storage_.v6.sin6_addr, &other.storage_.v6.sin6_addr, sizeof(in6_addr)) == 0;
  if (is_unix()) return std::strcmp(storage_.local.sun_path, other.storage_.local.sun_path) == 0;
  return true;
}

}  // namespace weft::net

#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <string>

#include "net/address.h"

namespace weft::proxy {

/// The address of an endpoint, in the room that an IP address takes: a net::Address has room for a path, and
/// a mesh has thousands of endpoints. A value; any thread.
class EndpointAddress {
 public:
  EndpointAddress() = default;
  EndpointAddress(const net::Address& address) {
    if (address.size() <= ip_.size())
      std::memcpy(ip_.data(), address.data(), size_ = static_cast<unsigned char>(address.size()));
    // An IPv4 address that is written as one of IPv6 stays what it is, and has no room here.
    if (net::Address(*this) != address) whole_ = std::make_shared<const net::Address>(address);
  }
  operator net::Address() const {
    if (whole_) return *whole_;
    return size_ == 0 ? net::Address()
                      : net::Address::from(reinterpret_cast<const sockaddr*>(ip_.data()), size_);
  }
  std::string to_string() const { return net::Address(*this).to_string(); }
  bool operator==(const EndpointAddress& other) const { return net::Address(*this) == net::Address(other); }

 private:
  alignas(sockaddr_in6) std::array<char, sizeof(sockaddr_in6)> ip_{};
  unsigned char size_ = 0;  ///< of the IP address; 0: none, or whole_
  std::shared_ptr<const net::Address> whole_;
};

}  // namespace weft::proxy

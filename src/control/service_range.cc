#include "control/service_range.h"

#include <arpa/inet.h>

#include <string>

namespace weft::control {

bool is_service_address(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return false;
  return ntohl(address.s_addr) - kFirstServiceAddress < kServiceAddresses;
}

}  // namespace weft::control

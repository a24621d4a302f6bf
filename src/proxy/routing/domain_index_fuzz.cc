#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/routing/domain_index.h"

/// Any texts as domains, any text as an authority.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  weft::proxy::VirtualHosts hosts;
  std::string_view rest = text;
  while (!rest.empty() && hosts.size() < 20) {
    const auto end = rest.find('\n');
    weft::proxy::VirtualHost host;
    host.domains = {std::string(rest.substr(0, end))};
    hosts.push_back(std::move(host));
    rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
  }
  const weft::proxy::DomainIndex index(hosts);
  static_cast<void>(index.find(text, size % 2 == 0, hosts));
  static_cast<void>(index.find(rest, true, hosts));
  return 0;
}

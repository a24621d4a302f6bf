#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "proxy/routing/domain_index.h"

/// Any texts as domains, any text as an authority.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  weft::proxy::DomainIndex index;
  std::deque<std::string> domains;
  std::uint32_t host = 0;
  std::string_view rest = text;
  while (!rest.empty() && host < 20) {
    const auto end = rest.find('\n');
    index.add(domains.emplace_back(rest.substr(0, end)), host++);
    rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
  }
  static_cast<void>(index.find(text, size % 2 == 0));
  static_cast<void>(index.find(rest, true));
  return 0;
}

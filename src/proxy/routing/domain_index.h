#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "proxy/routing/string_map.h"

namespace weft::proxy {

/// Finds the virtual host of an authority: an exact domain, then the longest "*suffix", then the longest
/// "prefix*", then
/// "*". Immutable once filled; any thread. The first host that names a domain keeps it.
class DomainIndex {
 public:
  void add(std::string_view domain, std::uint32_t host);
  /// Call once, after the last add().
  void seal();
  /// Letter case of `authority` does not matter. Its port counts, unless `ignore_port`.
  std::optional<std::uint32_t> find(std::string_view authority, bool ignore_port) const;

 private:
  struct ByLength {
    std::size_t length;
    StringMap<std::uint32_t> texts;
  };
  static void add_to(std::vector<ByLength>& groups, std::string_view text, std::uint32_t host);

  StringMap<std::uint32_t> exact_;
  std::vector<ByLength> suffixes_;  ///< longest first
  std::vector<ByLength> prefixes_;
  std::optional<std::uint32_t> any_;
};

/// "host:80" → "host", "[::1]:80" → "[::1]".
std::string_view without_authority_port(std::string_view authority);

}  // namespace weft::proxy

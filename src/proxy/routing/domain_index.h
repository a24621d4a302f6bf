#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "proxy/config.h"

namespace weft::proxy {

/// Finds the virtual host of an authority: an exact domain, then the longest "*suffix", then the longest
/// "prefix*", then "*". Immutable once filled; any thread. The first host that names a domain keeps it.
///
/// It knows a domain by its hash and by where it stands, and looks at the text in the hosts that it is given:
/// those that it was filled from, or others with the same domains in the same places. So versions of a table
/// whose hosts have changed and their domains have not share one.
class DomainIndex {
 public:
  DomainIndex() = default;
  explicit DomainIndex(const VirtualHosts& hosts);
  /// Where the host stands among `hosts`. Letter case of `authority` does not matter. Its port counts, unless
  /// `ignore_port`.
  std::optional<std::uint32_t> find(std::string_view authority, bool ignore_port,
                                    const VirtualHosts& hosts) const;

 private:
  enum class Kind : std::uint8_t { kExact, kSuffix, kPrefix, kAny };
  struct Parsed {
    Kind kind;
    std::string_view text;  ///< without its star
    bool operator==(const Parsed&) const = default;
  };
  static Parsed parse(std::string_view domain);
  static std::uint32_t hash_of(const Parsed& normal);
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t host = kNone, domain = 0;  ///< hosts[host].domains[domain]
  };
  void add(const VirtualHosts& hosts, std::uint32_t host, std::uint32_t domain);
  const Slot* look_for(const Parsed& normal, std::uint32_t hash, const VirtualHosts& hosts) const;
  const Slot* lookup(const Parsed& normal, const VirtualHosts& hosts) const;

  std::vector<Slot> slots_;  ///< of a hash table with linear probing; a power of two, or none
  std::vector<std::size_t> suffixes_, prefixes_;  ///< the lengths that there are, longest first
};

/// "host:80" → "host", "[::1]:80" → "[::1]".
std::string_view without_authority_port(std::string_view authority);

}  // namespace weft::proxy

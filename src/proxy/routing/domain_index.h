#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::proxy {

/// Finds the virtual host of an authority: an exact domain, then the longest "*suffix", then the longest
/// "prefix*", then "*". Immutable once filled; any thread. The first host that names a domain keeps it.
///
/// It refers to the domains, which have to outlive it, and is made again for each version of a table: what
/// that costs is one look at each domain's hash.
class DomainIndex {
 public:
  /// Of a domain as the index looks for it: letter case and a final dot do not matter.
  static std::uint32_t hash_of(std::string_view domain);

  /// Room for as many; more may be added.
  void reserve(std::size_t domains);
  void add(const std::string& domain, std::uint32_t hash, std::uint32_t host);
  void add(const std::string& domain, std::uint32_t host) { add(domain, hash_of(domain), host); }
  void add(std::string&& domain, std::uint32_t host) = delete;
  /// Letter case of `authority` does not matter. Its port counts, unless `ignore_port`.
  std::optional<std::uint32_t> find(std::string_view authority, bool ignore_port) const;

 private:
  enum class Kind : std::uint8_t { kExact, kSuffix, kPrefix, kAny };
  struct Parsed {
    Kind kind;
    std::string_view text;  ///< without its star
    bool operator==(const Parsed&) const = default;
  };
  static Parsed parse(std::string_view domain);
  static std::uint32_t hash_of(Kind kind, std::string_view normal);
  /// An empty one has no domain.
  struct Slot {
    const std::string* domain = nullptr;
    std::uint32_t hash = 0, host = 0;
  };
  void insert(const Slot& slot);
  void grow(std::size_t slots);
  template <class Parse>
  const Slot* look_for(std::uint32_t hash, Parse parsed) const;
  const Slot* lookup(Kind kind, std::string_view normal) const;

  std::vector<Slot> slots_;  ///< of a hash table with linear probing; a power of two, or none
  std::size_t used_ = 0;
  std::vector<std::size_t> suffixes_, prefixes_;  ///< the lengths that there are, longest first
};

/// "host:80" → "host", "[::1]:80" → "[::1]".
std::string_view without_authority_port(std::string_view authority);

}  // namespace weft::proxy

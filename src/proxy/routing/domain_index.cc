#include "proxy/routing/domain_index.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

namespace weft::proxy {
namespace {

constexpr std::size_t kMinSlots = 4;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// "shop.example." is the name "shop.example", written as DNS writes it (RFC 3986 §3.2.2). Where the final
/// dot is, or npos.
std::size_t final_dot(std::string_view authority) {
  const std::string_view host = without_authority_port(authority);
  return host.size() > 1 && host.back() == '.' ? host.size() - 1 : std::string_view::npos;
}

/// `text` itself where it is in that form already.
std::string_view to_normal(std::string_view text, std::string& room) {
  const auto dot = final_dot(text);
  const bool same =
      dot == std::string_view::npos && std::ranges::all_of(text, [](char c) { return lower(c) == c; });
  if (same) return text;
  room.assign(text);
  if (dot != std::string_view::npos) room.erase(dot, 1);
  std::ranges::transform(room, room.begin(), lower);
  return room;
}

/// A length that is there already stays once.
void add_length(std::vector<std::size_t>& lengths, std::size_t length) {
  const auto place = std::ranges::lower_bound(lengths, length, std::greater<>());
  if (place == lengths.end() || *place != length) lengths.insert(place, length);
}

}  // namespace

std::string_view without_authority_port(std::string_view authority) {
  const auto colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.find(']', colon) != std::string_view::npos)
    return authority;
  return authority.substr(0, colon);
}

DomainIndex::Parsed DomainIndex::parse(std::string_view domain) {
  if (domain == "*") return {Kind::kAny, {}};
  if (domain.starts_with('*')) return {Kind::kSuffix, domain.substr(1)};
  if (domain.ends_with('*')) return {Kind::kPrefix, domain.substr(0, domain.size() - 1)};
  return {Kind::kExact, domain};
}

std::uint32_t DomainIndex::hash_of(Kind kind, std::string_view normal) {
  const std::size_t hash = std::hash<std::string_view>()(normal) + static_cast<std::size_t>(kind);
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

std::uint32_t DomainIndex::hash_of(std::string_view domain) {
  std::string room;
  const Parsed parsed = parse(to_normal(domain, room));
  return hash_of(parsed.kind, parsed.text);
}

void DomainIndex::reserve(std::size_t domains) {
  const std::size_t slots = std::bit_ceil(domains + domains / 3 + 1);
  if (slots > slots_.size()) grow(std::max(slots, kMinSlots));
}

void DomainIndex::grow(std::size_t slots) {
  const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(slots));
  for (const Slot& slot : before)
    if (slot.domain) insert(slot);
}

void DomainIndex::insert(const Slot& slot) {
  std::size_t at = slot.hash & (slots_.size() - 1);
  while (slots_[at].domain) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = slot;
}

void DomainIndex::add(const std::string& domain, std::uint32_t hash, std::uint32_t host) {
  if (used_ * 4 >= slots_.size() * 3) grow(std::max(slots_.size() * 2, kMinSlots));
  std::string room;
  if (look_for(hash, [&] { return parse(to_normal(domain, room)); })) return;
  insert({&domain, hash, host});
  ++used_;
  if (!domain.contains('*')) return;
  const Parsed parsed = parse(to_normal(domain, room));
  if (parsed.kind == Kind::kSuffix) add_length(suffixes_, parsed.text.size());
  if (parsed.kind == Kind::kPrefix) add_length(prefixes_, parsed.text.size());
}

/// `parsed` is asked for what is looked for only where a hash is the same.
template <class Parse>
const DomainIndex::Slot* DomainIndex::look_for(std::uint32_t hash, Parse parsed) const {
  if (slots_.empty()) return nullptr;
  for (std::size_t at = hash & (slots_.size() - 1); slots_[at].domain; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].hash != hash) continue;
    std::string room;
    if (parse(to_normal(*slots_[at].domain, room)) == parsed()) return &slots_[at];
  }
  return nullptr;
}

const DomainIndex::Slot* DomainIndex::lookup(Kind kind, std::string_view normal) const {
  return look_for(hash_of(kind, normal), [&] { return Parsed{kind, normal}; });
}

std::optional<std::uint32_t> DomainIndex::find(std::string_view authority, bool ignore_port) const {
  if (ignore_port) authority = without_authority_port(authority);
  std::string room;
  authority = to_normal(authority, room);
  if (!authority.empty()) {
    if (const Slot* found = lookup(Kind::kExact, authority)) return found->host;
    for (const std::size_t length : suffixes_) {
      if (authority.size() <= length) continue;
      const Slot* found = lookup(Kind::kSuffix, authority.substr(authority.size() - length));
      if (found) return found->host;
    }
    for (const std::size_t length : prefixes_) {
      if (authority.size() <= length) continue;
      if (const Slot* found = lookup(Kind::kPrefix, authority.substr(0, length))) return found->host;
    }
  }
  const Slot* any = lookup(Kind::kAny, {});
  return any ? std::optional(any->host) : std::nullopt;
}

}  // namespace weft::proxy

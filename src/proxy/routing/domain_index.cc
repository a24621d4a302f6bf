#include "proxy/routing/domain_index.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <string>

namespace weft::proxy {
namespace {

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

std::uint32_t DomainIndex::hash_of(const Parsed& normal) {
  const std::size_t hash = std::hash<std::string_view>()(normal.text) + static_cast<std::size_t>(normal.kind);
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

DomainIndex::DomainIndex(const VirtualHosts& hosts) {
  std::size_t count = 0;
  for (const VirtualHosts::Ptr& host : hosts.shared()) count += host->domains.size();
  if (count == 0) return;
  slots_.resize(std::bit_ceil(count + count / 3 + 1));
  for (std::uint32_t host = 0; host < hosts.size(); ++host)
    for (std::uint32_t domain = 0; domain < hosts[host].domains.size(); ++domain) add(hosts, host, domain);
}

void DomainIndex::add(const VirtualHosts& hosts, std::uint32_t host, std::uint32_t domain) {
  std::string room;
  const Parsed parsed = parse(to_normal(hosts[host].domains[domain], room));
  const std::uint32_t hash = hash_of(parsed);
  if (look_for(parsed, hash, hosts)) return;
  std::size_t at = hash & (slots_.size() - 1);
  while (slots_[at].host != kNone) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = {hash, host, domain};
  if (parsed.kind == Kind::kSuffix) add_length(suffixes_, parsed.text.size());
  if (parsed.kind == Kind::kPrefix) add_length(prefixes_, parsed.text.size());
}

const DomainIndex::Slot* DomainIndex::look_for(const Parsed& normal, std::uint32_t hash,
                                               const VirtualHosts& hosts) const {
  if (slots_.empty()) return nullptr;
  for (std::size_t at = hash & (slots_.size() - 1); slots_[at].host != kNone;
       at = (at + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[at];
    if (slot.hash != hash) continue;
    std::string room;
    if (parse(to_normal(hosts[slot.host].domains[slot.domain], room)) == normal) return &slot;
  }
  return nullptr;
}

const DomainIndex::Slot* DomainIndex::lookup(const Parsed& normal, const VirtualHosts& hosts) const {
  return look_for(normal, hash_of(normal), hosts);
}

std::optional<std::uint32_t> DomainIndex::find(std::string_view authority, bool ignore_port,
                                               const VirtualHosts& hosts) const {
  if (ignore_port) authority = without_authority_port(authority);
  std::string room;
  authority = to_normal(authority, room);
  if (!authority.empty()) {
    if (const Slot* found = lookup({Kind::kExact, authority}, hosts)) return found->host;
    for (const std::size_t length : suffixes_) {
      if (authority.size() <= length) continue;
      const Slot* found = lookup({Kind::kSuffix, authority.substr(authority.size() - length)}, hosts);
      if (found) return found->host;
    }
    for (const std::size_t length : prefixes_) {
      if (authority.size() <= length) continue;
      if (const Slot* found = lookup({Kind::kPrefix, authority.substr(0, length)}, hosts)) return found->host;
    }
  }
  const Slot* any = lookup({Kind::kAny, {}}, hosts);
  return any ? std::optional(any->host) : std::nullopt;
}

}  // namespace weft::proxy

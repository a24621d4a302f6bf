#include "control/translation/route_table.h"

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <functional>

#include "base/strings.h"
#include "control/translation/messages.h"
#include "control/translation/route_builder.h"

namespace weft::control {
namespace {

constexpr char kHostTag = route::RouteConfiguration::kVirtualHostsFieldNumber << 3 | 2;

void append_host(std::string& into, const std::string& bytes) {
  into += kHostTag;
  std::uint8_t length[10];
  const std::uint8_t* end =
      google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(bytes.size(), length);
  into.append(reinterpret_cast<const char*>(length), static_cast<std::size_t>(end - length));
  into += bytes;
}

std::uint64_t fingerprint_of(const TableParts& parts) {
  std::uint64_t all = std::hash<std::string>()(parts.head + parts.tail);
  for (const HostPiecePtr& host : parts.hosts) all = (all ^ host->fingerprint) * 0x9e3779b97f4a7c15 + 1;
  return all;
}

}  // namespace

void keep_unique_domains(route::VirtualHost& host, std::set<std::string>& seen) {
  std::vector<std::string> domains;
  for (const std::string& domain : host.domains())
    if (seen.insert(to_lower(domain)).second) domains.push_back(domain);
  if (static_cast<int>(domains.size()) == host.domains_size()) return;
  host.clear_domains();
  for (std::string& domain : domains) host.add_domains(std::move(domain));
}

HostPiece make_piece(const route::VirtualHost& host) {
  HostPiece made{.bytes = serialize(host), .fingerprint = 0, .domains = {}};
  made.fingerprint = std::hash<std::string>()(made.bytes);
  for (const std::string& domain : host.domains())
    made.domains.push_back(std::hash<std::string>()(to_lower(domain)));
  return made;
}

Resource make_table(const std::string& name, std::span<const HostPiecePtr> hosts) {
  // In the order of the fields' numbers, as the whole message would be written.
  static_assert(route::RouteConfiguration::kNameFieldNumber <
                route::RouteConfiguration::kVirtualHostsFieldNumber);
  route::RouteConfiguration head, tail;
  head.set_name(name);
  set_route_table_options(tail, name);
  tail.clear_name();
  auto parts = std::make_shared<TableParts>(
      TableParts{serialize(head), {hosts.begin(), hosts.end()}, serialize(tail), 0});
  parts->fingerprint = fingerprint_of(*parts);
  return {.name = name, .bytes = {}, .parts = std::move(parts)};
}

std::string Resource::message() const {
  if (!parts) return bytes;
  std::string made = parts->head;
  std::size_t size = parts->head.size() + parts->tail.size();
  for (const HostPiecePtr& host : parts->hosts) size += host->bytes.size() + 8;
  made.reserve(size);
  for (const HostPiecePtr& host : parts->hosts) append_host(made, host->bytes);
  made += parts->tail;
  return made;
}

bool same_message(const Resource& a, const Resource& b) {
  if (!a.parts && !b.parts) return a.bytes == b.bytes;
  if (!a.parts || !b.parts) return a.message() == b.message();
  const auto same_piece = [](const HostPiecePtr& one, const HostPiecePtr& other) {
    return one == other || one->bytes == other->bytes;
  };
  return a.parts->head == b.parts->head && a.parts->tail == b.parts->tail &&
         std::ranges::equal(a.parts->hosts, b.parts->hosts, same_piece);
}

bool has_unique_domains(std::span<const HostPiecePtr> hosts) {
  std::vector<std::uint64_t> all;
  for (const HostPiecePtr& host : hosts) all.insert(all.end(), host->domains.begin(), host->domains.end());
  std::ranges::sort(all);
  return std::ranges::adjacent_find(all) == all.end();
}

std::vector<HostPiecePtr> with_unique_domains(std::span<const HostPiecePtr> hosts) {
  std::vector<HostPiecePtr> kept;
  std::set<std::string> seen;
  for (const HostPiecePtr& piece : hosts) {
    route::VirtualHost host;
    host.ParseFromString(piece->bytes);
    const int before = host.domains_size();
    keep_unique_domains(host, seen);
    if (host.domains_size() == 0) continue;
    if (host.domains_size() == before) {
      kept.push_back(piece);
      continue;
    }
    kept.push_back(std::make_shared<const HostPiece>(make_piece(host)));
  }
  return kept;
}

}  // namespace weft::control

#include "xds/convert_table.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/strings.h"
#include "xds/convert.h"
#include "xds/wire.h"

namespace weft::xds {
namespace {

constexpr std::size_t kDefaultMaxDirectBody = 4096;

std::size_t max_direct_body(const route::RouteConfiguration& from) {
  return from.has_max_direct_response_body_size_bytes() ? from.max_direct_response_body_size_bytes().value()
                                                        : kDefaultMaxDirectBody;
}

/// All but its virtual hosts.
Result<void> read_table(const route::RouteConfiguration& from, proxy::RouteTable& into, const Path& path) {
  into.name = from.name();
  WEFT_TRY(into.request_headers, to_header_changes(from.request_headers_to_add(),
                                                   from.request_headers_to_remove(), "request", path));
  WEFT_TRY(into.response_headers, to_header_changes(from.response_headers_to_add(),
                                                    from.response_headers_to_remove(), "response", path));
  into.ignore_port_in_host = from.ignore_port_in_host_matching();
  return {};
}

/// Each domain belongs to the first host that names it, whatever the letter case; a host that is left without
/// any is none.
class DomainOwners {
 public:
  /// The host with the domains that it keeps; null when those are none.
  Result<proxy::VirtualHosts::Ptr> claim(proxy::VirtualHosts::Ptr host, const Path& path,
                                         Conversion& conversion) {
    Path domains = path.field("domains");
    std::vector<std::string> kept;
    for (std::size_t i = 0; i < host->domains.size(); ++i) {
      const std::string& domain = host->domains[i];
      if (seen_.insert(to_lower(domain)).second) {
        kept.push_back(domain);
        continue;
      }
      Error twice = domains.item(static_cast<int>(i))
                        .invalid("'" + domain + "' is there twice in one route configuration");
      if (conversion.strict()) return fail(std::move(twice));
      conversion.reject(twice);
    }
    if (!kept.empty() && kept.size() == host->domains.size()) return host;
    kept_all_ = false;
    if (kept.empty()) return nullptr;
    auto copy = std::make_shared<proxy::VirtualHost>(*host);
    copy->domains = std::move(kept);
    return copy;
  }
  bool kept_all() const { return kept_all_; }

 private:
  std::unordered_set<std::string> seen_;
  bool kept_all_ = true;
};

/// The converted hosts of the version before. Most stand where they stood; the others are looked for once one
/// does not.
class HostsBefore {
 public:
  HostsBefore(const Resource* before, std::size_t max_direct_body) {
    if (!before || !before->hosts || before->hosts->max_direct_body != max_direct_body) return;
    bytes_ = before->bytes;
    hosts_ = before->hosts.get();
  }
  bool kept_all() const { return hosts_ && hosts_->kept_all; }
  std::size_t size() const { return hosts_ ? hosts_->list.size() : 0; }
  const ConvertedHost* at(std::size_t index) const { return index < size() ? &hosts_->list[index] : nullptr; }

  /// With what the bytes of a host at `index` became; null when it was not there.
  const ConvertedHost* find(std::size_t index, std::string_view bytes) {
    const ConvertedHost* there = at(index);
    if (there && bytes_of(*there) == bytes) return there;
    if (there && name_in(Type::kRoute, bytes) == there->host->name) return nullptr;
    if (by_bytes_.empty())
      for (std::size_t i = 0; i < size(); ++i) by_bytes_.emplace(bytes_of(*at(i)), at(i));
    const auto found = by_bytes_.find(bytes);
    // What was noted says where the host stood.
    return found == by_bytes_.end() || found->second->notes ? nullptr : found->second;
  }

 private:
  std::string_view bytes_of(const ConvertedHost& host) const { return bytes_.substr(host.offset, host.size); }

  std::string_view bytes_;
  const ConvertedHosts* hosts_ = nullptr;
  std::unordered_map<std::string_view, const ConvertedHost*> by_bytes_;
};

Error no_table() {
  return Error::config(Code::kInvalid,
                       "the bytes are no " + route::RouteConfiguration::descriptor()->full_name());
}

Result<ConvertedHost> convert_host(std::string_view bytes, const Path& path, std::size_t max_body) {
  route::VirtualHost message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return fail(no_table());
  Conversion examined(false), converted(false);
  WEFT_CHECK(examined.examine(message, path));
  WEFT_TRY(auto host, to_host_or_closed(message, path, {max_body, converted}));
  ConvertedHost made{0, 0, std::make_shared<const proxy::VirtualHost>(std::move(host)), nullptr};
  ConvertedHost::Notes notes{examined.left_out(), converted.left_out(), converted.rejected()};
  if (!notes.unknown.empty() || !notes.left_out.empty() || !notes.rejected.empty())
    made.notes = std::make_shared<const ConvertedHost::Notes>(std::move(notes));
  return made;
}

/// One after the other, each from `before` or from its bytes.
Result<ConvertedHosts> convert_hosts(std::string_view table, const std::vector<std::string_view>& items,
                                     HostsBefore& before, std::size_t max_body, const Path& hosts) {
  ConvertedHosts made{.list = {}, .max_direct_body = max_body};
  made.list.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (const ConvertedHost* known = before.find(i, items[i])) {
      made.list.push_back(*known);
    } else {
      WEFT_TRY(auto host, convert_host(items[i], hosts.item(static_cast<int>(i)), max_body));
      made.list.push_back(std::move(host));
    }
    made.list.back().offset = static_cast<std::uint32_t>(items[i].data() - table.data());
    made.list.back().size = static_cast<std::uint32_t>(items[i].size());
  }
  return made;
}

/// Whether every host has the domains of the one that stood in its place.
bool same_domains(const std::vector<ConvertedHost>& hosts, const HostsBefore& before) {
  if (hosts.size() != before.size()) return false;
  for (std::size_t i = 0; i < hosts.size(); ++i)
    if (hosts[i].host != before.at(i)->host && hosts[i].host->domains != before.at(i)->host->domains)
      return false;
  return true;
}

/// Notes what was found in the hosts, and puts those into the table that have a domain.
Result<void> add_hosts(ConvertedHosts& from, const HostsBefore& before, proxy::RouteTable& into,
                       Conversion& conversion, const Path& hosts) {
  for (const ConvertedHost& each : from.list)
    if (each.notes) conversion.add_left_out(each.notes->unknown);
  into.hosts.reserve(from.list.size());
  const bool as_before = before.kept_all() && same_domains(from.list, before);
  DomainOwners owners;
  for (std::size_t i = 0; i < from.list.size(); ++i) {
    const ConvertedHost& each = from.list[i];
    if (each.notes) conversion.add_left_out(each.notes->left_out);
    if (each.notes) conversion.add_rejected(each.notes->rejected);
    proxy::VirtualHosts::Ptr host = each.host;
    if (!as_before) {
      WEFT_TRY(host, owners.claim(std::move(host), hosts.item(static_cast<int>(i)), conversion));
    }
    if (host) into.hosts.push_back(std::move(host));
  }
  from.kept_all = as_before || owners.kept_all();
  return {};
}

}  // namespace

Result<proxy::RouteTable> to_route_table(const route::RouteConfiguration& from, const Path& path,
                                         Conversion& conversion) {
  proxy::RouteTable made;
  const TableScope scope{max_direct_body(from), conversion};
  Path hosts = path.field("virtual_hosts");
  DomainOwners owners;
  for (int i = 0; i < from.virtual_hosts_size(); ++i) {
    Path here = hosts.item(i);
    WEFT_TRY(auto host, to_host_or_closed(from.virtual_hosts(i), here, scope));
    WEFT_TRY(auto kept,
             owners.claim(std::make_shared<const proxy::VirtualHost>(std::move(host)), here, conversion));
    if (kept) made.hosts.push_back(std::move(kept));
  }
  WEFT_CHECK(read_table(from, made, path));
  return made;
}

Result<DecodedTable> decode_table(std::string_view bytes, const Resource* before, Conversion& conversion) {
  const auto split = split_repeated(bytes, route::RouteConfiguration::kVirtualHostsFieldNumber);
  route::RouteConfiguration rest;
  if (!split || bytes.size() > INT32_MAX || !rest.ParseFromString(split->rest)) return fail(no_table());
  if (rest.name().empty()) return fail(Path("name").invalid("is missing"));
  const Path path, hosts("virtual_hosts");
  WEFT_CHECK(conversion.examine(rest, path));
  HostsBefore known(before, max_direct_body(rest));
  WEFT_TRY(auto converted, convert_hosts(bytes, split->items, known, max_direct_body(rest), hosts));
  DecodedTable made;
  WEFT_CHECK(add_hosts(converted, known, made.table, conversion, hosts));
  WEFT_CHECK(read_table(rest, made.table, path));
  made.hosts = std::make_shared<const ConvertedHosts>(std::move(converted));
  return made;
}

}  // namespace weft::xds

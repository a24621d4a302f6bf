#include "xds/convert_table.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "base/strings.h"
#include "xds/convert.h"
#include "xds/proto/route_table_change.pb.h"
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
    std::vector<std::string_view> kept;
    for (std::size_t i = 0; i < host->domains.size(); ++i) {
      const std::string_view domain = host->domains[i];
      if (seen_.insert(to_lower(domain)).second) {
        kept.push_back(domain);
        continue;
      }
      Error twice = domains.item(static_cast<int>(i))
                        .invalid("'" + std::string(domain) + "' is there twice in one route configuration");
      if (conversion.strict()) return fail(std::move(twice));
      conversion.reject(twice);
    }
    if (!kept.empty() && kept.size() == host->domains.size()) return host;
    kept_all_ = false;
    if (kept.empty()) return nullptr;
    auto copy = std::make_shared<proxy::VirtualHost>(*host);
    copy->domains = kept;
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
    if (before && before->hosts && before->hosts->max_direct_body == max_direct_body) hosts_ = before->hosts;
  }
  bool kept_all() const { return hosts_ && hosts_->kept_all; }
  std::size_t size() const { return hosts_ ? hosts_->list.size() : 0; }
  const ConvertedHostPtr& operator[](std::size_t index) const { return hosts_->list[index]; }
  /// Whether there is anything to be taken.
  explicit operator bool() const { return hosts_ != nullptr; }

  /// With what the bytes of a host at `index` became; null when it was not there.
  ConvertedHostPtr find(std::size_t index, std::string_view bytes) {
    const ConvertedHost* there = index < size() ? (*this)[index].get() : nullptr;
    if (there && there->bytes == bytes) return (*this)[index];
    const std::string_view name = name_in(Type::kRoute, bytes);
    if (there && name == there->host->name) return nullptr;
    if (by_name_.empty())
      for (std::size_t i = 0; i < size(); ++i) by_name_.emplace((*this)[i]->host->name, i);
    std::size_t looked_at = 0;
    for (auto [at, end] = by_name_.equal_range(name); at != end && looked_at < kMaxOfOneName;
         ++at, ++looked_at) {
      const ConvertedHostPtr& host = (*this)[at->second];
      // What was noted says where the host stood.
      if (!host->notes && host->bytes == bytes) return host;
    }
    return nullptr;
  }

 private:
  static constexpr std::size_t kMaxOfOneName = 8;
  std::shared_ptr<const ConvertedHosts> hosts_;
  std::unordered_multimap<std::string_view, std::size_t> by_name_;
};

Error no_table() {
  return Error::config(Code::kInvalid,
                       "the bytes are no " + route::RouteConfiguration::descriptor()->full_name());
}

Result<std::shared_ptr<ConvertedHost>> convert_host(std::string_view bytes, const Path& path,
                                                    std::size_t max_body, RetryPolicies& policies) {
  route::VirtualHost message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return fail(no_table());
  Conversion examined(false), converted(false);
  WEFT_CHECK(examined.examine(message, path));
  WEFT_TRY(auto host, to_host_or_closed(message, path, {max_body, converted, policies}));
  auto made = std::make_shared<ConvertedHost>();
  made->host = std::make_shared<const proxy::VirtualHost>(std::move(host));
  ConvertedHost::Notes notes{examined.left_out(), converted.left_out(), converted.rejected()};
  if (!notes.unknown.empty() || !notes.left_out.empty() || !notes.rejected.empty())
    made->notes = std::make_unique<const ConvertedHost::Notes>(std::move(notes));
  return made;
}

/// A host of a table that has come: what it was before, or its bytes.
struct Incoming {
  ConvertedHostPtr known;
  std::string_view bytes;
  std::string own = {};  ///< which `bytes` are then
};

/// One after the other, each from `before` or from its bytes. Fills `into.list` by what else is said there.
Result<void> convert_hosts(std::vector<Incoming> incoming, HostsBefore& before, const Path& hosts,
                           ConvertedHosts& into) {
  std::optional<Packer> packer;
  RetryPolicies policies;
  into.list.reserve(incoming.size());
  for (std::size_t i = 0; i < incoming.size(); ++i) {
    ConvertedHostPtr host = std::move(incoming[i].known);
    const std::string_view bytes = incoming[i].bytes;
    if (!host) host = before.find(i, bytes);
    if (!host) {
      WEFT_TRY(auto made,
               convert_host(bytes, hosts.item(static_cast<int>(i)), into.max_direct_body, policies));
      if (!into.model) into.model = std::make_shared<const std::string>(bytes);
      if (!packer) packer.emplace(into.model);
      made->bytes = packer->pack(bytes);
      host = std::move(made);
    }
    into.list.push_back(std::move(host));
  }
  return {};
}

/// Whether every host has the domains of the one that stood in its place.
bool same_domains(const std::vector<ConvertedHostPtr>& hosts, const HostsBefore& before) {
  if (hosts.size() != before.size()) return false;
  for (std::size_t i = 0; i < hosts.size(); ++i)
    if (hosts[i] != before[i] && hosts[i]->host->domains != before[i]->host->domains) return false;
  return true;
}

/// Notes what was found in the hosts, and puts those into the table that have a domain.
Result<void> add_hosts(ConvertedHosts& from, const HostsBefore& before, proxy::RouteTable& into,
                       Conversion& conversion, const Path& hosts) {
  for (const ConvertedHostPtr& each : from.list)
    if (each->notes) conversion.add_left_out(each->notes->unknown);
  into.hosts.reserve(from.list.size());
  const bool as_before = before.kept_all() && same_domains(from.list, before);
  DomainOwners owners;
  for (std::size_t i = 0; i < from.list.size(); ++i) {
    const ConvertedHost& each = *from.list[i];
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
  RetryPolicies policies;
  const TableScope scope{max_direct_body(from), conversion, policies};
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

namespace {

/// A table whose message without its hosts is `rest`.
Result<DecodedTable> decode_parts(std::string rest, std::size_t before_hosts, std::vector<Incoming> incoming,
                                  const Resource* before, Conversion& conversion) {
  route::RouteConfiguration message;
  if (!message.ParseFromString(rest) || message.virtual_hosts_size() > 0) return fail(no_table());
  if (message.name().empty()) return fail(Path("name").invalid("is missing"));
  const Path path, hosts("virtual_hosts");
  WEFT_CHECK(conversion.examine(message, path));
  const std::size_t max_body = max_direct_body(message);
  HostsBefore known(before, max_body);
  for (Incoming& each : incoming)
    // Converted by other rules, or noted at another place, it is converted again.
    if (each.known && (!known || each.known->notes)) {
      each.own = each.known->bytes.unpacked();
      each.bytes = each.own;
      each.known = nullptr;
    }
  auto converted = std::make_shared<ConvertedHosts>();
  converted->max_direct_body = max_body;
  converted->before = before_hosts;
  if (before && before->hosts) converted->model = before->hosts->model;
  WEFT_CHECK(convert_hosts(std::move(incoming), known, hosts, *converted));
  DecodedTable made;
  WEFT_CHECK(add_hosts(*converted, known, made.table, conversion, hosts));
  WEFT_CHECK(read_table(message, made.table, path));
  made.hosts = std::move(converted);
  made.rest = std::move(rest);
  return made;
}

Error no_change(std::string_view what) {
  return Error::config(Code::kInvalid, "a change of a route table " + std::string(what));
}

/// The hosts that a change says, in order. Each of the base stands in the result once at most, as far as
/// their number can tell: a short message does not make a long table.
Result<std::vector<Incoming>> hosts_of_change(const weft::xds::v1::RouteTableChange& change,
                                              const std::vector<ConvertedHostPtr>& base) {
  std::vector<Incoming> hosts;
  hosts.reserve(base.size() + static_cast<std::size_t>(change.hosts_size()));
  std::size_t kept = 0;
  for (const auto& each : change.hosts()) {
    if (each.count() == 0) {
      hosts.push_back({nullptr, each.changed()});
      continue;
    }
    kept += each.count();
    if (each.first() > base.size() || each.count() > base.size() - each.first() || kept > base.size())
      return fail(no_change("names hosts that its base has not"));
    for (std::size_t i = 0; i < each.count(); ++i) hosts.push_back({base[each.first() + i], {}});
  }
  return hosts;
}

}  // namespace

Result<DecodedTable> decode_table(std::string_view bytes, const Resource* before, Conversion& conversion) {
  auto split = split_repeated(bytes, route::RouteConfiguration::kVirtualHostsFieldNumber);
  if (!split || bytes.size() > INT32_MAX) return fail(no_table());
  std::vector<Incoming> hosts;
  hosts.reserve(split->items.size());
  for (const std::string_view item : split->items) hosts.push_back({nullptr, item});
  return decode_parts(std::move(split->rest), split->before, std::move(hosts), before, conversion);
}

Result<DecodedTable> decode_table_change(std::string_view bytes, const Resource* before,
                                         Conversion& conversion) {
  weft::xds::v1::RouteTableChange change;
  if (bytes.size() > INT32_MAX || !change.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(no_change("cannot be read"));
  if (!before || !before->hosts || before->hosts->form.empty() || before->hosts->form != change.base())
    return fail(no_change("has another base than the table that is there"));
  if (change.before_hosts() > change.table().size()) return fail(no_change("cannot be read"));
  WEFT_TRY(auto hosts, hosts_of_change(change, before->hosts->list));
  return decode_parts(std::move(*change.mutable_table()), change.before_hosts(), std::move(hosts), before,
                      conversion);
}

}  // namespace weft::xds

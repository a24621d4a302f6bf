#include "xds/resource.h"

#include "xds/convert.h"
#include "xds/convert_table.h"
#include "xds/wire.h"

namespace weft::xds {
namespace {

template <class Message>
Result<Message> parse(std::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(Error::config(Code::kInvalid, "the bytes are no " + Message::descriptor()->full_name()));
  return message;
}

/// What decode() is given.
struct Arrived {
  std::string_view bytes;
  const Resource* before;
  std::string_view form;
  Packer* packer = nullptr;
  PackedBytes packed() const { return packer ? packer->pack(bytes) : PackedBytes(bytes); }
};

Result<void> expect_name(std::string_view name) {
  if (name.empty()) return fail(Path("name").invalid("is missing"));
  return {};
}

Result<void> fill_cluster(Resource& into, const Arrived& from, Conversion& conversion) {
  WEFT_TRY(auto message, parse<cluster::Cluster>(from.bytes));
  WEFT_CHECK(conversion.examine(message, Path()));
  WEFT_TRY(auto made, to_cluster(message, Path(), conversion));
  into.needs = std::move(made.needs);
  into.value = std::make_shared<const proxy::ClusterConfig>(std::move(made.config));
  into.bytes = from.packed();
  return {};
}

Result<void> fill_endpoints(Resource& into, const Arrived& from, Conversion& conversion) {
  WEFT_TRY(auto message, parse<endpoint::ClusterLoadAssignment>(from.bytes));
  if (message.cluster_name().empty()) return fail(Path("cluster_name").invalid("is missing"));
  WEFT_CHECK(conversion.examine(message, Path()));
  WEFT_TRY(auto made, to_endpoints(message, Path(), conversion));
  into.value = std::make_shared<const proxy::Endpoints>(std::move(made));
  into.bytes = from.packed();
  return {};
}

Result<void> fill_listener(Resource& into, const Arrived& from, Conversion& conversion) {
  WEFT_TRY(auto message, parse<listener::Listener>(from.bytes));
  WEFT_CHECK(expect_name(message.name()));
  WEFT_CHECK(conversion.examine(message, Path()));
  WEFT_TRY(auto made, to_listener(message, Path(), conversion));
  into.needs = std::move(made.needs);
  into.value = std::make_shared<const proxy::ListenerConfig>(std::move(made.config));
  into.bytes = from.packed();
  return {};
}

Result<void> fill_from(Result<DecodedTable> made, Resource& into, const Arrived& from) {
  if (!made) return fail(std::move(made).error());
  into.bytes = std::string_view(made->rest);
  into.value = std::make_shared<const proxy::RouteTable>(std::move(made->table));
  made->hosts->form = from.form;
  into.hosts = std::move(made->hosts);
  return {};
}

Result<void> fill_table(Resource& into, const Arrived& from, Conversion& conversion) {
  return fill_from(decode_table(from.bytes, from.before, conversion), into, from);
}

Result<void> fill_changed_table(Resource& into, const Arrived& from, Conversion& conversion) {
  return fill_from(decode_table_change(from.bytes, from.before, conversion), into, from);
}

using Fill = Result<void> (*)(Resource& into, const Arrived& from, Conversion& conversion);
constexpr PerType<Fill> kFill = {fill_cluster, fill_endpoints, fill_listener, fill_table};

Result<std::shared_ptr<Resource>> made_by(Fill fill, const Arrived& from) {
  auto made = std::make_shared<Resource>();
  Conversion conversion(false);
  WEFT_CHECK(fill(*made, from, conversion));
  made->left_out = conversion.left_out();
  made->rejected = conversion.rejected();
  return made;
}

}  // namespace

/// A message that cannot be read whole may still have its name, which comes first. It is field 1 of every
/// type.
std::string_view name_in(Type, std::string_view bytes) { return value_of_field(bytes, 1); }

std::string Resource::message() const {
  const std::string rest = bytes.unpacked();
  if (!hosts) return rest;
  std::string whole = rest.substr(0, hosts->before);
  for (const ConvertedHostPtr& host : hosts->list)
    append_field(whole, route::RouteConfiguration::kVirtualHostsFieldNumber, host->bytes.unpacked());
  return whole.append(rest, hosts->before);
}

bool Resource::is_same_message(const Resource& other) const {
  if (!(bytes == other.bytes) || !hosts != !other.hosts) return false;
  return !hosts || hosts->list == other.hosts->list;
}

bool Resource::is_same_form(const Resource& other) const {
  return hosts && other.hosts ? hosts->form == other.hosts->form : !hosts == !other.hosts;
}

Result<std::shared_ptr<Resource>> decode(Type type, std::string_view bytes, const Resource* before,
                                         std::string_view form, Packer* packer) {
  return made_by(kFill[index_of(type)], {bytes, before, form, packer});
}

Result<std::shared_ptr<Resource>> decode_change(std::string_view bytes, const Resource* before,
                                                std::string_view form) {
  return made_by(fill_changed_table, {bytes, before, form});
}

}  // namespace weft::xds

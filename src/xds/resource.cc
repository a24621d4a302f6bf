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

Result<void> expect_name(std::string_view name) {
  if (name.empty()) return fail(Path("name").invalid("is missing"));
  return {};
}

Result<void> fill_cluster(Resource& into, Conversion& conversion, const Resource*) {
  WEFT_TRY(auto message, parse<cluster::Cluster>(into.bytes));
  WEFT_CHECK(conversion.examine(message, Path()));
  WEFT_TRY(auto made, to_cluster(message, Path(), conversion));
  into.needs = std::move(made.needs);
  into.value = std::make_shared<const proxy::ClusterConfig>(std::move(made.config));
  return {};
}

Result<void> fill_endpoints(Resource& into, Conversion& conversion, const Resource*) {
  WEFT_TRY(auto message, parse<endpoint::ClusterLoadAssignment>(into.bytes));
  if (message.cluster_name().empty()) return fail(Path("cluster_name").invalid("is missing"));
  WEFT_CHECK(conversion.examine(message, Path()));
  WEFT_TRY(auto made, to_endpoints(message, Path(), conversion));
  into.value = std::make_shared<const proxy::Endpoints>(std::move(made));
  return {};
}

Result<void> fill_listener(Resource& into, Conversion& conversion, const Resource*) {
  WEFT_TRY(auto message, parse<listener::Listener>(into.bytes));
  WEFT_CHECK(expect_name(message.name()));
  WEFT_CHECK(conversion.examine(message, Path()));
  WEFT_TRY(auto made, to_listener(message, Path(), conversion));
  into.needs = std::move(made.needs);
  into.value = std::make_shared<const proxy::ListenerConfig>(std::move(made.config));
  return {};
}

Result<void> fill_table(Resource& into, Conversion& conversion, const Resource* before) {
  WEFT_TRY(auto made, decode_table(into.bytes, before, conversion));
  into.value = std::make_shared<const proxy::RouteTable>(std::move(made.table));
  into.hosts = std::move(made.hosts);
  return {};
}

using Fill = Result<void> (*)(Resource& into, Conversion& conversion, const Resource* before);
constexpr PerType<Fill> kFill = {fill_cluster, fill_endpoints, fill_listener, fill_table};

}  // namespace

/// A message that cannot be read whole may still have its name, which comes first. It is field 1 of every
/// type.
std::string_view name_in(Type, std::string_view bytes) { return value_of_field(bytes, 1); }

Result<std::shared_ptr<Resource>> decode(Type type, std::string bytes, const Resource* before) {
  auto made = std::make_shared<Resource>();
  made->bytes = std::move(bytes);
  Conversion conversion(false);
  WEFT_CHECK(kFill[index_of(type)](*made, conversion, before));
  made->left_out = conversion.left_out();
  made->rejected = conversion.rejected();
  return made;
}

}  // namespace weft::xds

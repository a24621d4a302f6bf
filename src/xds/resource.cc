#include "xds/resource.h"

#include "xds/convert.h"

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

Result<void> fill_cluster(Resource& into, Conversion& conversion) {
  WEFT_TRY(auto message, parse<cluster::Cluster>(into.bytes));
  WEFT_CHECK(conversion.examine(message, Path()));
  WEFT_TRY(auto made, to_cluster(message, Path(), conversion));
  into.needs = std::move(made.needs);
  into.value = std::make_shared<const proxy::ClusterConfig>(std::move(made.config));
  return {};
}

Result<void> fill_endpoints(Resource& into, Conversion& conversion) {
  WEFT_TRY(auto message, parse<endpoint::ClusterLoadAssignment>(into.bytes));
  if (message.cluster_name().empty()) return fail(Path("cluster_name").invalid("is missing"));
  WEFT_CHECK(conversion.examine(message, Path()));
  WEFT_TRY(auto made, to_endpoints(message, Path(), conversion));
  into.value = std::make_shared<const proxy::Endpoints>(std::move(made));
  return {};
}

Result<void> fill_listener(Resource& into, Conversion& conversion) {
  WEFT_TRY(auto message, parse<listener::Listener>(into.bytes));
  WEFT_CHECK(expect_name(message.name()));
  WEFT_CHECK(conversion.examine(message, Path()));
  WEFT_TRY(auto made, to_listener(message, Path(), conversion));
  into.needs = std::move(made.needs);
  into.value = std::make_shared<const proxy::ListenerConfig>(std::move(made.config));
  return {};
}

Result<void> fill_table(Resource& into, Conversion& conversion) {
  WEFT_TRY(auto message, parse<route::RouteConfiguration>(into.bytes));
  WEFT_CHECK(expect_name(message.name()));
  WEFT_CHECK(conversion.examine(message, Path()));
  WEFT_TRY(auto made, to_route_table(message, Path(), conversion));
  into.value = std::make_shared<const proxy::RouteTable>(std::move(made));
  return {};
}

}  // namespace

std::string_view type_url(Type type) {
  switch (type) {
    case Type::kCluster: return "type.googleapis.com/envoy.config.cluster.v3.Cluster";
    case Type::kEndpoint: return "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";
    case Type::kListener: return "type.googleapis.com/envoy.config.listener.v3.Listener";
    case Type::kRoute: return "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";
  }
  return {};
}

std::string_view short_name(Type type) {
  constexpr std::string_view kNames[] = {"CDS", "EDS", "LDS", "RDS"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string name_in(Type type, std::string_view bytes) {
  const auto* data = bytes.data();
  const int size = static_cast<int>(bytes.size());
  // A message that cannot be read whole may still have its name, which comes first.
  if (type == Type::kEndpoint) {
    endpoint::ClusterLoadAssignment message;
    message.ParsePartialFromArray(data, size);
    return message.cluster_name();
  }
  if (type == Type::kCluster) {
    cluster::Cluster message;
    message.ParsePartialFromArray(data, size);
    return message.name();
  }
  if (type == Type::kListener) {
    listener::Listener message;
    message.ParsePartialFromArray(data, size);
    return message.name();
  }
  route::RouteConfiguration message;
  message.ParsePartialFromArray(data, size);
  return message.name();
}

Result<std::shared_ptr<Resource>> decode(Type type, std::string bytes) {
  auto made = std::make_shared<Resource>();
  made->bytes = std::move(bytes);
  made->name = name_in(type, made->bytes);
  Conversion conversion(false);
  switch (type) {
    case Type::kCluster: WEFT_CHECK(fill_cluster(*made, conversion)); break;
    case Type::kEndpoint: WEFT_CHECK(fill_endpoints(*made, conversion)); break;
    case Type::kListener: WEFT_CHECK(fill_listener(*made, conversion)); break;
    case Type::kRoute: WEFT_CHECK(fill_table(*made, conversion)); break;
  }
  made->left_out = conversion.left_out();
  made->rejected = conversion.rejected();
  return made;
}

}  // namespace weft::xds

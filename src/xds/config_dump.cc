#include "xds/config_dump.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/utc.h"
#include "xds/convert.h"
#include "xds/proto/bootstrap.pb.h"

namespace weft::xds {
namespace {

using Json = nlohmann::ordered_json;

namespace pb = google::protobuf;

constexpr std::string_view kAdmin = "type.googleapis.com/envoy.admin.v3.";

/// Stands in for an Any of an unknown type while the library prints: a Struct with this member.
constexpr const char* kMark = "\x01unknown type";

void mark_unknown(pb::Message& message);

/// An Any's inner message may have Anys of its own.
void mark_any(pb::Any& any) {
  const std::string name(message_name(any));
  const auto* type = pb::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  std::unique_ptr<pb::Message> inner;
  if (type) inner.reset(pb::MessageFactory::generated_factory()->GetPrototype(type)->New());
  if (inner && inner->ParseFromString(any.value())) {
    mark_unknown(*inner);
    any.set_value(inner->SerializeAsString());
    return;
  }
  pb::Struct mark;
  (*mark.mutable_fields())[kMark].set_string_value(any.type_url());
  if (const std::string wrapped = wrapped_name(any); !wrapped.empty())
    (*mark.mutable_fields())["type_url"].set_string_value(wrapped);
  any.PackFrom(mark);
}

void mark_unknown(pb::Message& message) {
  if (message.GetDescriptor() == pb::Any::descriptor()) return mark_any(static_cast<pb::Any&>(message));
  const pb::Reflection& reflection = *message.GetReflection();
  std::vector<const pb::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != pb::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 0;
    if (!field->is_repeated()) mark_unknown(*reflection.MutableMessage(&message, field));
    for (int i = 0; i < count; ++i) mark_unknown(*reflection.MutableRepeatedMessage(&message, field, i));
  }
}

/// Puts the types' own names back.
void unmark(Json& json) {
  if (!json.is_structured()) return;
  for (Json& each : json) unmark(each);
  if (!json.is_object() || !json.contains("value") || !json["value"].is_object()) return;
  const Json& value = json["value"];
  if (!value.contains(kMark)) return;
  Json named = {{"@type", value[kMark]}, {"not_shown", "weft does not know this type"}};
  if (value.contains("type_url")) named["type_url"] = value["type_url"];
  json = std::move(named);
}

/// As the library prints it, but for what it cannot print: an Any whose type is not known here.
Json json_of(const pb::Message& message) {
  const std::unique_ptr<pb::Message> copy(message.New());
  copy->CopyFrom(message);
  mark_unknown(*copy);
  pb::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  if (const auto printed = pb::util::MessageToJsonString(*copy, &text, options); !printed.ok())
    return {{"not_shown", printed.ToString()}};
  Json json = Json::parse(text, nullptr, false);
  unmark(json);
  return json;
}

template <class Message>
Json resource_json(const std::string& bytes, std::string_view url) {
  Message message;
  message.ParseFromString(bytes);
  Json json = {{"@type", url}};
  json.update(json_of(message));
  return json;
}

using Show = Json (*)(const std::string& bytes, std::string_view url);
constexpr PerType<Show> kShow = {resource_json<cluster::Cluster>,
                                 resource_json<endpoint::ClusterLoadAssignment>,
                                 resource_json<listener::Listener>, resource_json<route::RouteConfiguration>};

Json error_state(const Rejection& rejection) {
  return {{"last_update_attempt", utc_text(rejection.when)},
          {"details", rejection.reason},
          {"version_info", rejection.version}};
}

/// Entries in Envoy's forms: clusters and routes hold the resource under `field`; listeners hold it in
/// active_state.
Json entries(Type type, const Catalog& catalog, std::string_view field, bool statics) {
  Json list = Json::array();
  for (const ResourcePtr& one : statics ? catalog.statics(type) : catalog.running(type)) {
    const std::string_view name = one->name();
    if (!statics && catalog.is_static(type, name)) continue;
    Json entry = {{"version_info", one->version()},
                  {std::string(field), kShow[index_of(type)](one->message(), type_url(type))},
                  {"last_updated", utc_text(one->updated())}};
    if (statics) entry.erase("version_info");
    const auto rejected = catalog.rejections(type).find(name);
    if (type == Type::kListener && !statics) entry = Json{{"name", name}, {"active_state", std::move(entry)}};
    if (!statics && rejected != catalog.rejections(type).end())
      entry["error_state"] = error_state(rejected->second);
    if (!one->left_out.empty()) entry["not_supported"] = one->left_out.all();
    if (!one->rejected.empty()) entry["rejected"] = one->rejected.all();
    list.push_back(std::move(entry));
  }
  for (const auto& [name, rejection] : catalog.rejections(type))
    if (!statics && !catalog.running(type).contains(name))
      list.push_back({{"name", name}, {"error_state", error_state(rejection)}});
  return list;
}

}  // namespace

std::string config_dump(const Bootstrap& bootstrap, const Catalog& catalog, std::string_view query) {
  Json configs = Json::array();
  configs.push_back({{"@type", std::string(kAdmin) + "BootstrapConfigDump"},
                     {"bootstrap", bootstrap.message ? json_of(*bootstrap.message) : Json::object()}});
  configs.push_back({{"@type", std::string(kAdmin) + "ClustersConfigDump"},
                     {"static_clusters", entries(Type::kCluster, catalog, "cluster", true)},
                     {"dynamic_active_clusters", entries(Type::kCluster, catalog, "cluster", false)}});
  if (query.find("include_eds") != std::string_view::npos)
    configs.push_back(
        {{"@type", std::string(kAdmin) + "EndpointsConfigDump"},
         {"dynamic_endpoint_configs", entries(Type::kEndpoint, catalog, "endpoint_config", false)}});
  configs.push_back({{"@type", std::string(kAdmin) + "ListenersConfigDump"},
                     {"static_listeners", entries(Type::kListener, catalog, "listener", true)},
                     {"dynamic_listeners", entries(Type::kListener, catalog, "listener", false)}});
  configs.push_back({{"@type", std::string(kAdmin) + "RoutesConfigDump"},
                     {"dynamic_route_configs", entries(Type::kRoute, catalog, "route_config", false)}});
  // A resource's texts are protobuf strings, which are UTF-8; an error's text may not be.
  return Json{{"configs", std::move(configs)}}.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace weft::xds

#include "xds/ads_messages.h"

#include "xds/proto/discovery.pb.h"
#include "xds/wire.h"

namespace weft::xds {
namespace {

namespace discovery = envoy::service::discovery::v3;

constexpr int kInvalidArgument = 3;

/// False: the bytes are no Any.
bool read_any(std::string_view bytes, AdsResponse::Item& into) {
  WireReader reader(bytes);
  for (WireField field; reader.next(field);) {
    if (!field.length_delimited) continue;
    if (field.number == google::protobuf::Any::kTypeUrlFieldNumber) into.type_url = field.value;
    if (field.number == google::protobuf::Any::kValueFieldNumber) into.value = field.value;
  }
  return reader.at_end();
}

/// False: the bytes are no Resource.
bool read_resource(std::string_view bytes, AdsResponse::Item& into) {
  WireReader reader(bytes);
  for (WireField field; reader.next(field);) {
    if (!field.length_delimited) continue;
    if (field.number == discovery::Resource::kNameFieldNumber) into.name = field.value;
    if (field.number == discovery::Resource::kVersionFieldNumber) into.version = field.value;
    if (field.number == discovery::Resource::kResourceFieldNumber && !read_any(field.value, into))
      return false;
  }
  return reader.at_end();
}

void add_names(google::protobuf::RepeatedPtrField<std::string>& to,
               const std::vector<std::string_view>& names) {
  to.Reserve(static_cast<int>(names.size()));
  for (const std::string_view name : names) to.Add()->assign(name);
}

/// What both protocols say alike.
template <class Message>
std::string finished(Message& message, const AdsRequest& request) {
  message.set_type_url(std::string(type_url(request.type)));
  message.set_response_nonce(std::string(request.nonce));
  if (!request.node.empty()) message.mutable_node()->ParseFromString(std::string(request.node));
  if (!request.error.empty()) {
    message.mutable_error_detail()->set_code(kInvalidArgument);
    message.mutable_error_detail()->set_message(std::string(request.error));
  }
  return message.SerializeAsString();
}

}  // namespace

std::optional<AdsResponse> read_response(std::string_view bytes, bool delta) {
  // It has the same number in both.
  auto split = split_repeated(bytes, discovery::DiscoveryResponse::kResourcesFieldNumber);
  if (!split) return std::nullopt;
  AdsResponse response;
  const auto read_rest = [&](auto message, const std::string& (*version)(const decltype(message)&)) {
    if (!message.ParseFromString(split->rest)) return false;
    response.type_url = message.type_url();
    response.nonce = message.nonce();
    response.version = version(message);
    if constexpr (requires { message.removed_resources(); })
      response.removed.assign(message.removed_resources().begin(), message.removed_resources().end());
    return true;
  };
  const bool read =
      delta ? read_rest(discovery::DeltaDiscoveryResponse(),
                        [](const discovery::DeltaDiscoveryResponse& message) -> const std::string& {
                          return message.system_version_info();
                        })
            : read_rest(discovery::DiscoveryResponse(),
                        [](const discovery::DiscoveryResponse& message) -> const std::string& {
                          return message.version_info();
                        });
  if (!read) return std::nullopt;
  response.resources.resize(split->items.size());
  for (std::size_t i = 0; i < split->items.size(); ++i) {
    const auto read_item = delta ? read_resource : read_any;
    if (!read_item(split->items[i], response.resources[i])) return std::nullopt;
  }
  return response;
}

std::string to_bytes(const AdsRequest& request, bool delta) {
  if (!delta) {
    discovery::DiscoveryRequest message;
    message.set_version_info(std::string(request.version));
    add_names(*message.mutable_resource_names(), request.names);
    return finished(message, request);
  }
  discovery::DeltaDiscoveryRequest message;
  add_names(*message.mutable_resource_names_subscribe(), request.names);
  add_names(*message.mutable_resource_names_unsubscribe(), request.not_names);
  for (const std::string_view name : request.known)
    (*message.mutable_initial_resource_versions())[std::string(name)];
  return finished(message, request);
}

}  // namespace weft::xds

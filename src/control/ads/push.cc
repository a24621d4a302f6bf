#include "control/ads/push.h"

#include <algorithm>

#include "control/ads/table_change.h"
#include "xds/proto/discovery.pb.h"
#include "xds/proto/endpoint.pb.h"
#include "xds/proto/route.pb.h"

namespace weft::control {
namespace {

using Response = envoy::service::discovery::v3::DiscoveryResponse;
using DeltaResponse = envoy::service::discovery::v3::DeltaDiscoveryResponse;

std::string empty_resource(Type type, const std::string& name) {
  if (type == Type::kEndpoint) {
    envoy::config::endpoint::v3::ClusterLoadAssignment assignment;
    assignment.set_cluster_name(name);
    return assignment.SerializeAsString();
  }
  envoy::config::route::v3::RouteConfiguration table;
  table.set_name(name);
  return table.SerializeAsString();
}

const std::string& bytes_of(Type type, const Resource& resource, std::string& room) {
  if (!resource.bytes.empty()) return resource.bytes;
  if (resource.parts) return room = resource.message();
  return room = empty_resource(type, resource.name);
}

std::string encode_whole(Type type, const ResourceTable& resources) {
  Response response;
  std::string room;
  for (const ResourcePtr& each : resources) {
    auto& any = *response.add_resources();
    any.set_type_url(std::string(type_url(type)));
    any.set_value(bytes_of(type, *each, room));
  }
  return response.SerializeAsString();
}

std::string encode_changes(const Push& push) {
  DeltaResponse response;
  std::string room;
  for (const ResourcePtr& each : *push.resources) {
    auto& made = *response.add_resources();
    made.set_name(each->name);
    made.set_version(version_of(*each));
    const ResourcePtr before = push.base ? push.base->find(each->name) : nullptr;
    const std::optional<std::string> change = before ? change_of_table(*before, *each) : std::nullopt;
    made.mutable_resource()->set_type_url(std::string(change ? xds::kTableChangeUrl : type_url(push.type)));
    made.mutable_resource()->set_value(change ? *change : bytes_of(push.type, *each, room));
  }
  return response.SerializeAsString();
}

template <class Message>
std::string encode_own(Message message, const Push& push) {
  message.set_type_url(std::string(type_url(push.type)));
  message.set_nonce(push.nonce);
  return message.SerializeAsString();
}

std::string encode_own(const Push& push) {
  if (push.protocol == AdsProtocol::kStateOfTheWorld) {
    Response own;
    own.set_version_info(push.version);
    return encode_own(std::move(own), push);
  }
  DeltaResponse own;
  own.set_system_version_info(push.version);
  for (const std::string& name : push.removed) own.add_removed_resources(name);
  return encode_own(std::move(own), push);
}

}  // namespace

/// Null when these resources are not on their way to any proxy.
std::shared_ptr<const std::string> PushEncoder::known_bytes(const Push& push) const {
  for (const Recent& each : recent_) {
    const ResourceTablePtr resources = each.resources.lock();
    auto bytes = each.bytes.lock();
    if (bytes && resources && each.type == push.type && each.protocol == push.protocol &&
        each.has_base == (push.base != nullptr) && each.base.lock() == push.base &&
        std::ranges::equal(*resources, *push.resources))
      return bytes;
  }
  return nullptr;
}

EncodedPush PushEncoder::encode(const Push& push) {
  EncodedPush encoded{.own = encode_own(push), .resources = known_bytes(push)};
  if (encoded.resources) return encoded;
  encoded.resources = std::make_shared<const std::string>(
      push.protocol == AdsProtocol::kDelta ? encode_changes(push) : encode_whole(push.type, *push.resources));
  recent_[next_++ % recent_.size()] = {push.type, push.protocol,     push.resources,
                                       push.base, encoded.resources, push.base != nullptr};
  return encoded;
}

}  // namespace weft::control

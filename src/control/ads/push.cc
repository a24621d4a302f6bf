#include "control/ads/push.h"

#include <algorithm>

#include "xds/proto/discovery.pb.h"
#include "xds/proto/endpoint.pb.h"
#include "xds/proto/route.pb.h"

namespace weft::control {
namespace {

using Response = envoy::service::discovery::v3::DiscoveryResponse;

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

std::string encode_resources(Type type, const ResourceTable& resources) {
  Response response;
  for (const ResourcePtr& each : resources) {
    auto& any = *response.add_resources();
    any.set_type_url(std::string(type_url(type)));
    any.set_value(each->bytes.empty() ? empty_resource(type, each->name) : each->bytes);
  }
  return response.SerializeAsString();
}

}  // namespace

/// Null when these resources are not on their way to any proxy.
std::shared_ptr<const std::string> PushEncoder::known_bytes(const Push& push) const {
  for (const Recent& each : recent_) {
    const ResourceTablePtr resources = each.resources.lock();
    auto bytes = each.bytes.lock();
    if (bytes && resources && each.type == push.type && std::ranges::equal(*resources, *push.resources))
      return bytes;
  }
  return nullptr;
}

EncodedPush PushEncoder::encode(const Push& push) {
  Response own;
  own.set_version_info(push.version);
  own.set_type_url(std::string(type_url(push.type)));
  own.set_nonce(push.nonce);
  EncodedPush encoded{.own = own.SerializeAsString(), .resources = nullptr};
  encoded.resources = known_bytes(push);
  if (encoded.resources) return encoded;
  encoded.resources = std::make_shared<const std::string>(encode_resources(push.type, *push.resources));
  recent_[next_++ % recent_.size()] = {push.type, push.resources, encoded.resources};
  return encoded;
}

}  // namespace weft::control

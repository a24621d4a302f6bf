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

EncodedPush PushEncoder::encode(const Push& push) {
  Response own;
  own.set_version_info(push.version);
  own.set_type_url(std::string(type_url(push.type)));
  own.set_nonce(push.nonce);
  EncodedPush encoded{.own = own.SerializeAsString(), .resources = nullptr};
  for (const Recent& each : recent_) {
    if (each.type != push.type || !each.resources || !std::ranges::equal(*each.resources, *push.resources))
      continue;
    encoded.resources = each.bytes.lock();
    if (encoded.resources) return encoded;
  }
  encoded.resources = std::make_shared<const std::string>(encode_resources(push.type, *push.resources));
  recent_[next_++ % recent_.size()] = {push.type, push.resources, encoded.resources};
  return encoded;
}

}  // namespace weft::control

#include "xds/bootstrap.h"

#include <google/protobuf/util/json_util.h>

#include <fstream>
#include <sstream>

#include "xds/convert.h"
#include "xds/proto/bootstrap.pb.h"
#include "xds/proto/extensions.h"
#include "xds/resources.h"
#include "xds/yaml.h"

namespace weft::xds {
namespace {

namespace bootstrap = envoy::config::bootstrap::v3;

/// Any's of a bootstrap are found by name among the linked messages; this makes the linker keep all of them.
void link_extensions() {
  static const google::protobuf::Descriptor* const kept[] = {
      envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager::descriptor(),
      envoy::extensions::filters::network::tcp_proxy::v3::TcpProxy::descriptor(),
      envoy::extensions::filters::http::router::v3::Router::descriptor(),
      envoy::extensions::filters::listener::original_dst::v3::OriginalDst::descriptor(),
      envoy::extensions::filters::listener::http_inspector::v3::HttpInspector::descriptor(),
      envoy::extensions::filters::listener::tls_inspector::v3::TlsInspector::descriptor(),
      envoy::extensions::access_loggers::file::v3::FileAccessLog::descriptor(),
      envoy::extensions::access_loggers::stream::v3::StdoutAccessLog::descriptor(),
      envoy::extensions::upstreams::http::v3::HttpProtocolOptions::descriptor(),
      envoy::extensions::retry::host::previous_hosts::v3::PreviousHostsPredicate::descriptor()};
  static_cast<void>(kept);
}

/// "(static_resources.listeners[0]) adress: Cannot find field." → the path, and the words that a person needs.
std::string explain(const std::string& message, const YamlDocument& document, std::string_view file) {
  std::string path, rest = message;
  const auto open = message.find('(');
  const auto close = message.find(')');
  if (open == 0 && close != std::string::npos) {
    path = message.substr(1, close - 1);
    rest = message.substr(close + 1);
    rest.erase(0, rest.find_first_not_of(" :"));
  }
  const auto colon = rest.find(": ");
  if (rest.find("Cannot find field") != std::string::npos && colon != std::string::npos) {
    const std::string field = rest.substr(0, colon);
    path += (path.empty() ? "" : ".") + field;
    rest = "unknown field, or one that weft does not support";
  }
  const int line = document.line_of(path);
  return std::string(file) + (line ? ":" + std::to_string(line) : "") + ": " + path + (path.empty() ? "" : ": ") + rest;
}

Error placed(Error error, const YamlDocument& document, std::string_view file) {
  const int line = document.line_of(error.text.substr(0, error.text.find(':')));
  error.text = std::string(file) + (line ? ":" + std::to_string(line) : "") + ": " + error.text;
  return error;
}

Result<proxy::SnapshotPtr> to_snapshot(const bootstrap::Bootstrap& message) {
  auto snapshot = std::make_shared<proxy::Snapshot>();
  const auto& resources = message.static_resources();
  for (int i = 0; i < resources.clusters_size(); ++i) {
    const std::string where = "static_resources.clusters[" + std::to_string(i) + "]";
    WEFT_TRY(auto cluster, to_cluster(resources.clusters(i), where));
    if (!snapshot->clusters.emplace(cluster->name, cluster).second) return invalid(Path(where) / "name", "there is another cluster '" + cluster->name + "'");
  }
  for (int i = 0; i < resources.listeners_size(); ++i) {
    const std::string where = "static_resources.listeners[" + std::to_string(i) + "]";
    WEFT_TRY(auto listener, to_listener(resources.listeners(i), where));
    if (!snapshot->listeners.emplace(listener->name, listener).second) return invalid(Path(where) / "name", "there is another listener '" + listener->name + "'");
  }
  return proxy::SnapshotPtr(std::move(snapshot));
}

/// The one address of the static cluster that ads_config names.
Result<std::optional<net::Address>> ads_address(const bootstrap::Bootstrap& message) {
  if (!message.has_dynamic_resources()) return std::nullopt;
  const Path path("dynamic_resources.ads_config");
  const auto& ads = message.dynamic_resources().ads_config();
  if (ads.api_type() != envoy::config::core::v3::ApiConfigSource::GRPC) return unsupported(path / "api_type", "anything but GRPC");
  if (ads.grpc_services_size() != 1) return invalid(path / "grpc_services", "exactly one is needed");
  const std::string& name = ads.grpc_services(0).envoy_grpc().cluster_name();
  for (const auto& cluster : message.static_resources().clusters()) {
    if (cluster.name() != name) continue;
    for (const auto& locality : cluster.load_assignment().endpoints())
      for (const auto& one : locality.lb_endpoints()) {
        WEFT_TRY(auto address, to_address(one.endpoint().address(), path / "grpc_services[0].envoy_grpc.cluster_name"));
        return address;
      }
  }
  return invalid(path / "grpc_services[0].envoy_grpc.cluster_name", "there is no static cluster '" + name + "' with an endpoint");
}

/// The cluster that leads to the control plane speaks HTTP/2, which this proxy does by its own gRPC client, not by a pool.
void drop_http2_of_ads(bootstrap::Bootstrap& message) {
  const auto& services = message.dynamic_resources().ads_config().grpc_services();
  if (services.empty()) return;
  for (auto& cluster : *message.mutable_static_resources()->mutable_clusters())
    if (cluster.name() == services.Get(0).envoy_grpc().cluster_name()) cluster.clear_typed_extension_protocol_options();
}

}  // namespace

Result<Bootstrap> load_bootstrap(std::string_view text, std::string_view file) {
  link_extensions();
  WEFT_TRY(const YamlDocument document, read_yaml(text, file));
  auto message = std::make_shared<bootstrap::Bootstrap>();
  const auto parsed = google::protobuf::util::JsonStringToMessage(document.json, message.get());
  if (!parsed.ok()) return fail(Error::config(Code::kInvalid, explain(std::string(parsed.message()), document, file)));
  Bootstrap result;
  bootstrap::Bootstrap converted = *message;
  drop_http2_of_ads(converted);
  auto snapshot = to_snapshot(converted);
  if (!snapshot) return fail(placed(std::move(snapshot).error(), document, file));
  result.static_resources = std::move(*snapshot);
  auto ads = ads_address(*message);
  if (!ads) return fail(placed(std::move(ads).error(), document, file));
  result.ads = *ads;
  if (message->admin().has_address()) {
    auto admin = to_address(message->admin().address(), Path("admin.address"));
    if (!admin) return fail(placed(std::move(admin).error(), document, file));
    result.admin = *admin;
  }
  result.node_id = message->node().id();
  result.node_cluster = message->node().cluster();
  result.message = std::move(message);
  return result;
}

Result<Bootstrap> load_bootstrap_file(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return fail(Error::config(Code::kNotFound, file + ": cannot be read: " + errno_text(errno)));
  std::ostringstream text;
  text << stream.rdbuf();
  return load_bootstrap(text.str(), file);
}

}  // namespace weft::xds

#include "xds/bootstrap.h"

#include <cerrno>
#include <fstream>
#include <map>
#include <set>

#include "xds/convert.h"
#include "xds/message_reader.h"
#include "xds/proto/bootstrap.pb.h"
#include "yaml/document.h"

namespace weft::xds {
namespace {

using Message = envoy::config::bootstrap::v3::Bootstrap;

template <class From, class Config>
ResourcePtr make_resource(const From& from, Config config, std::vector<Need> needs) {
  auto made = std::make_shared<Resource>();
  made->value = std::make_shared<const Config>(std::move(config));
  made->needs = std::move(needs);
  made->bytes = PackedBytes(from.SerializeAsString());
  made->arrival = std::make_shared<const Arrival>(Arrival{{}, std::chrono::system_clock::now()});
  return made;
}

using Names = std::set<std::string, std::less<>>;

Result<void> expect_clusters(const proxy::RouteTable& table, const route::RouteConfiguration& from,
                             const Names& known, const Path& path) {
  if (from.has_validate_clusters() && !from.validate_clusters().value()) return {};
  Path hosts = path.field("virtual_hosts");
  for (std::size_t i = 0; i < table.hosts.size(); ++i) {
    Path host = hosts.item(static_cast<int>(i)), routes = host.field("routes");
    for (std::size_t j = 0; j < table.hosts[i].routes.size(); ++j) {
      const auto* forward = std::get_if<proxy::ForwardAction>(&table.hosts[i].routes[j].action);
      if (!forward) continue;
      Path here = routes.item(static_cast<int>(j));
      for (const auto& to : forward->clusters)
        if (!known.contains(std::string_view(to.cluster)))
          return fail(here.field("route").invalid("there is no cluster '" + std::string(to.cluster) + "'"));
    }
  }
  return {};
}

/// Envoy's switches between two ways of doing the same, and what guards its own build of RE2.
bool is_switch_of_envoy(std::string_view key) {
  return key.starts_with("envoy.reloadable_features.") || key.starts_with("envoy.restart_features.") ||
         key.starts_with("envoy.deprecated_features") || key.starts_with("re2.");
}

/// Istio's own bootstrap says of all connections together that there is no limit, which is so here.
bool says_no_limit(std::string_view key, const google::protobuf::Value& value) {
  constexpr double kNoLimit = 2147483647;
  if (key != "overload.global_downstream_max_connections") return false;
  return value.number_value() >= kNoLimit || value.string_value() == "2147483647";
}

/// A map below `key` is the same as keys that begin with it.
Result<void> check_runtime_keys(const google::protobuf::Struct& from, std::string_view prefix,
                                const Path& path, Conversion& conversion) {
  std::map<std::string_view, const google::protobuf::Value*> sorted;
  for (const auto& [key, value] : from.fields()) sorted.emplace(key, &value);
  for (const auto& [key, value] : sorted) {
    const std::string whole = std::string(prefix).append(key);
    const Path here = path.entry(key);
    if (is_switch_of_envoy(whole) || says_no_limit(whole, *value)) continue;
    if (value->has_struct_value() && value->struct_value().fields_size() > 0)
      WEFT_CHECK(check_runtime_keys(value->struct_value(), whole + ".", here, conversion));
    else
      WEFT_CHECK(conversion.unsupported(here, "runtime key '" + whole + "' is not supported"));
  }
  return {};
}

/// Reads one bootstrap message; `path`s are those of the file.
class Builder {
 public:
  explicit Builder(const Message& from) : from_(from) {}

  Result<void> build(Bootstrap& into);

 private:
  Result<void> check_runtime();
  Result<void> read_ads(Bootstrap& into);
  Result<void> read_ads_address(const Path& config, AdsSource& into);
  Result<void> read_clusters(Bootstrap& into);
  Result<void> read_listeners(Bootstrap& into);
  Result<void> expect_known_clusters(const listener::Listener& from, const proxy::ListenerConfig& made,
                                     const Path& path);
  Result<void> expect_free(const proxy::ListenerConfig& made, const Path& path);

  const Message& from_;
  Conversion conversion_{true};
  Names clusters_;
  Names listeners_;
  std::map<std::string, std::string> addresses_;  ///< bound, and by which listener
};

Result<void> Builder::build(Bootstrap& into) {
  if (from_.admin().has_address()) {
    Path admin("admin");
    WEFT_TRY(into.admin, to_address(from_.admin().address(), admin.field("address")));
  }
  WEFT_CHECK(check_runtime());
  WEFT_CHECK(read_ads(into));
  WEFT_CHECK(read_clusters(into));
  return read_listeners(into);
}

Result<void> Builder::check_runtime() {
  const Path runtime("layered_runtime"), list = runtime.field("layers");
  for (int i = 0; i < from_.layered_runtime().layers_size(); ++i) {
    const Path layer = list.item(i);
    WEFT_CHECK(check_runtime_keys(from_.layered_runtime().layers(i).static_layer(), "",
                                  layer.field("static_layer"), conversion_));
  }
  return {};
}

Result<void> Builder::read_ads(Bootstrap& into) {
  const auto& dynamic = from_.dynamic_resources();
  Path path("dynamic_resources"), config = path.field("ads_config");
  if (dynamic.has_cds_config()) WEFT_CHECK(expect_ads(dynamic.cds_config(), path.field("cds_config")));
  if (dynamic.has_lds_config()) WEFT_CHECK(expect_ads(dynamic.lds_config(), path.field("lds_config")));
  if (!dynamic.has_ads_config()) {
    if (dynamic.has_cds_config() || dynamic.has_lds_config())
      return fail(config.invalid("is missing; cds_config and lds_config need it"));
    return {};
  }
  AdsSource made;
  made.clusters = dynamic.has_cds_config();
  made.listeners = dynamic.has_lds_config();
  const auto& from = dynamic.ads_config();
  made.delta = from.api_type() == core::ApiConfigSource::DELTA_GRPC;
  if (!made.delta && from.api_type() != core::ApiConfigSource::GRPC)
    return fail(config.field("api_type")
                    .unsupported("has to be GRPC or DELTA_GRPC, not " +
                                 core::ApiConfigSource::ApiType_Name(from.api_type())));
  if (from.transport_api_version() != core::V3)
    return fail(config.field("transport_api_version").unsupported("has to be V3"));
  Path services = config.field("grpc_services"), service = services.item(0),
       grpc = service.field("envoy_grpc");
  if (from.grpc_services_size() != 1) return fail(services.invalid("has to have exactly one service"));
  made.cluster = from.grpc_services(0).envoy_grpc().cluster_name();
  made.authority = from.grpc_services(0).envoy_grpc().authority();
  if (from.grpc_services(0).initial_metadata_size() > 0)
    return fail(service.field("initial_metadata").unsupported("is not supported"));
  if (made.cluster.empty()) return fail(grpc.field("cluster_name").invalid("is missing"));
  WEFT_CHECK(read_ads_address(grpc, made));
  into.ads = std::move(made);
  return {};
}

Result<void> Builder::read_ads_address(const Path& config, AdsSource& into) {
  Path statics("static_resources"), list = statics.field("clusters");
  for (int i = 0; i < from_.static_resources().clusters_size(); ++i) {
    const auto& cluster = from_.static_resources().clusters(i);
    if (cluster.name() != into.cluster) continue;
    Path here = list.item(i), assignment = here.field("load_assignment");
    WEFT_TRY(auto made, to_cluster(cluster, here, conversion_));
    if (made.config.spoken != proxy::ClusterConfig::Spoken::kHttp2)
      return fail(
          here.invalid("a cluster for gRPC has to have explicit_http_config: {http2_protocol_options: {}} in "
                       "its HttpProtocolOptions"));
    if (made.config.http2 != http::Http2Limits{})
      WEFT_CHECK(
          conversion_.unsupported(here.field("typed_extension_protocol_options"),
                                  "http2_protocol_options of a cluster for ADS are fixed; leave them empty"));
    const auto* endpoints = made.config.endpoints.get();
    if (!endpoints || endpoints->localities.size() != 1 || endpoints->localities[0].endpoints.size() != 1)
      return fail(assignment.unsupported("a cluster for ADS has to be STATIC with exactly one endpoint"));
    into.address = endpoints->localities[0].endpoints[0].address;
    into.connect_timeout = made.config.connect_timeout;
    if (into.authority.empty())
      into.authority = into.address.is_unix() ? "localhost" : into.address.to_string();
    return {};
  }
  return fail(config.field("cluster_name").invalid("there is no static cluster '" + into.cluster + "'"));
}

Result<void> Builder::read_clusters(Bootstrap& into) {
  Path statics("static_resources"), list = statics.field("clusters");
  for (int i = 0; i < from_.static_resources().clusters_size(); ++i) {
    const auto& from = from_.static_resources().clusters(i);
    Path here = list.item(i);
    if (!clusters_.insert(from.name()).second)
      return fail(here.field("name").invalid("there are two clusters '" + from.name() + "'"));
    if (into.ads && from.name() == into.ads->cluster) continue;
    WEFT_TRY(auto made, to_cluster(from, here, conversion_));
    into.clusters.push_back(make_resource(from, std::move(made.config), std::move(made.needs)));
  }
  return {};
}

Result<void> Builder::read_listeners(Bootstrap& into) {
  Path statics("static_resources"), list = statics.field("listeners");
  for (int i = 0; i < from_.static_resources().listeners_size(); ++i) {
    const auto& from = from_.static_resources().listeners(i);
    Path here = list.item(i);
    WEFT_TRY(auto made, to_listener(from, here, conversion_));
    if (!listeners_.insert(made.config.name).second)
      return fail(here.field("name").invalid("there are two listeners '" + made.config.name + "'"));
    WEFT_CHECK(expect_free(made.config, here));
    if (!from_.dynamic_resources().has_cds_config())
      WEFT_CHECK(expect_known_clusters(from, made.config, here));
    into.listeners.push_back(make_resource(from, std::move(made.config), std::move(made.needs)));
  }
  return {};
}

Result<void> Builder::expect_free(const proxy::ListenerConfig& made, const Path& path) {
  if (!made.bind_to_port || made.address.port() == 0) return {};
  auto [other, added] = addresses_.try_emplace(made.address.to_string(), made.name);
  if (!added)
    return fail(path.field("address").invalid(made.address.to_string() + " is taken by the listener '" +
                                              other->second + "'"));
  return {};
}

Result<void> Builder::expect_known_clusters(const listener::Listener& from, const proxy::ListenerConfig& made,
                                            const Path& path) {
  Path chains = path.field("filter_chains");
  for (std::size_t i = 0; i < made.chains.size(); ++i) {
    const auto& filters = from.filter_chains(static_cast<int>(i)).filters();
    Path chain = chains.item(static_cast<int>(i)), list = chain.field("filters"),
         last = list.item(filters.size() - 1), config = last.field("typed_config");
    if (const auto* tcp = std::get_if<proxy::TcpProxyConfig>(&made.chains[i].filter)) {
      for (const auto& to : tcp->clusters)
        if (!clusters_.contains(std::string_view(to.cluster)))
          return fail(
              config.field("cluster").invalid("there is no cluster '" + std::string(to.cluster) + "'"));
      continue;
    }
    const auto& table = std::get<proxy::HttpConfig>(made.chains[i].filter).route_table;
    if (!table) continue;
    http_manager::HttpConnectionManager manager;
    manager.ParseFromString(filters[filters.size() - 1].typed_config().value());
    WEFT_CHECK(expect_clusters(*table, manager.route_config(), clusters_, config.field("route_config")));
  }
  return {};
}

std::string make_node(core::Node node, const NodeOverrides& overrides, Bootstrap& into) {
  if (!overrides.id.empty()) node.set_id(overrides.id);
  if (!overrides.cluster.empty()) node.set_cluster(overrides.cluster);
  into.node_id = node.id();
  into.node_cluster = node.cluster();
  node.set_user_agent_name("weft");
  return node.SerializeAsString();
}

}  // namespace

Result<Bootstrap> parse_bootstrap(std::string_view text, std::string file_name,
                                  const NodeOverrides& overrides) {
  WEFT_TRY(auto document, yaml::Document::parse(text, std::move(file_name)));
  auto message = std::make_shared<Message>();
  WEFT_CHECK(read_message(document, *message));
  Bootstrap made;
  if (auto built = Builder(*message).build(made); !built)
    return fail(document.locate(std::move(built).error()));
  made.node = make_node(message->node(), overrides, made);
  if (made.ads && made.node_id.empty())
    return fail(document.locate(
        Path("node.id").invalid("is missing; a control plane has to know who asks (or use --service-node)")));
  made.message = std::move(message);
  return made;
}

Result<Bootstrap> load_bootstrap(const std::string& file_name, const NodeOverrides& overrides) {
  std::ifstream file(file_name, std::ios::binary);
  if (!file)
    return fail(Error::config(Code::kNotFound, file_name + ": cannot be opened: " + errno_text(errno)));
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return fail(Error::config(Code::kInvalid, file_name + ": cannot be read"));
  return parse_bootstrap(text, file_name, overrides);
}

}  // namespace weft::xds

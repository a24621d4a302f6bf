#include "pod/bootstrap.h"

#include "api/json_text.h"

namespace weft::pod {
namespace {

using api::Json;

std::string cluster_name(const Environment& environment, const std::map<std::string, std::string>& labels) {
  const auto app = labels.find("app");
  return (app == labels.end() ? api::json_string(environment.metadata, "WORKLOAD_NAME") : app->second) + "." +
         environment.ns;
}

}  // namespace

Result<xds::Bootstrap> make_bootstrap(const Environment& environment,
                                      const std::map<std::string, std::string>& labels,
                                      std::uint16_t admin_port) {
  Json metadata = environment.metadata;
  metadata["LABELS"] = Json(labels);
  const Json all = {
      {"node",
       {{"id", environment.node_id()},
        {"cluster", cluster_name(environment, labels)},
        {"metadata", std::move(metadata)}}},
      {"admin", {{"address", {{"socket_address", {{"address", "127.0.0.1"}, {"port_value", admin_port}}}}}}}};
  const std::string text = api::json_text(all);
  WEFT_TRY(xds::Bootstrap made, xds::parse_bootstrap(text, "bootstrap from the environment"));
  xds::AdsSource source;
  source.cluster = "xds-grpc";
  source.authority = environment.control_host;
  source.clusters = source.listeners = true;
  made.ads = std::move(source);
  return made;
}

}  // namespace weft::pod

#include "api/istio/destination_rule.h"

#include <algorithm>
#include <array>

#include "api/istio/virtual_service.h"

namespace weft::api::istio {
namespace {

constexpr std::array<Word<Balancer>, 6> kBalancers = {{{"UNSPECIFIED", Balancer::kUnspecified},
                                                       {"ROUND_ROBIN", Balancer::kRoundRobin},
                                                       {"LEAST_REQUEST", Balancer::kLeastRequest},
                                                       {"LEAST_CONN", Balancer::kLeastRequest},
                                                       {"RANDOM", Balancer::kRandom},
                                                       {"PASSTHROUGH", Balancer::kPassthrough}}};
constexpr std::array<Word<UpgradePolicy>, 3> kUpgradePolicies = {
    {{"DEFAULT", UpgradePolicy::kDefault},
     {"DO_NOT_UPGRADE", UpgradePolicy::kDoNotUpgrade},
     {"UPGRADE", UpgradePolicy::kUpgrade}}};
constexpr std::array<Word<ClientTls>, 4> kTlsModes = {{{"DISABLE", ClientTls::kDisable},
                                                       {"SIMPLE", ClientTls::kSimple},
                                                       {"MUTUAL", ClientTls::kMutual},
                                                       {"ISTIO_MUTUAL", ClientTls::kIstioMutual}}};

TcpPool read_tcp_pool(const Json& from) {
  Fields fields(from);
  return {.max_connections = fields.count("maxConnections"),
          .connect_timeout = fields.duration("connectTimeout")};
}

HttpPool read_http_pool(const Json& from) {
  Fields fields(from);
  HttpPool made;
  made.http1_max_pending_requests = fields.count("http1MaxPendingRequests");
  made.http2_max_requests = fields.count("http2MaxRequests");
  made.max_requests_per_connection = fields.count("maxRequestsPerConnection");
  made.max_retries = fields.count("maxRetries");
  made.max_concurrent_streams = fields.count("maxConcurrentStreams");
  made.idle_timeout = fields.duration("idleTimeout");
  made.h2_upgrade_policy = fields.word("h2UpgradePolicy", kUpgradePolicies);
  made.use_client_protocol = fields.flag("useClientProtocol");
  return made;
}

/// Of a policy, or of its settings for one port.
std::optional<ClientTls> read_tls(Fields& owner) {
  const Json* from = owner.map("tls");
  if (!from) return std::nullopt;
  const std::string mode = Fields(*from).text("mode");
  if (mode.empty()) return std::nullopt;
  const auto known = std::ranges::find(kTlsModes, mode, &Word<ClientTls>::text);
  return known == kTlsModes.end() ? ClientTls::kOther : known->value;
}

PortTls read_port_tls(const Json& from, std::size_t) {
  Fields fields(from);
  PortTls made;
  if (const Json* port = fields.map("port")) made.port = Fields(*port).port("number");
  made.mode = read_tls(fields);
  return made;
}

/// Of one that says something; fields that are not done are something too.
std::optional<TrafficPolicy> read_policy(Fields& owner) {
  const Json* from = owner.map("trafficPolicy");
  if (!from || from->empty()) return std::nullopt;
  Fields fields(*from);
  TrafficPolicy made;
  if (const Json* balancer = fields.map("loadBalancer"))
    made.balancer = Fields(*balancer).word("simple", kBalancers).value_or(Balancer::kUnspecified);
  if (const Json* pool = fields.map("connectionPool")) {
    Fields pools(*pool);
    made.pool.emplace();
    if (const Json* tcp = pools.map("tcp")) made.pool->tcp = read_tcp_pool(*tcp);
    if (const Json* http = pools.map("http")) made.pool->http = read_http_pool(*http);
  }
  made.tls = read_tls(fields);
  made.tls_of_ports = fields.list("portLevelSettings", read_port_tls);
  return made;
}

}  // namespace

std::optional<ClientTls> TrafficPolicy::tls_at(std::uint16_t port) const {
  std::optional<ClientTls> mode = tls;
  for (const PortTls& each : tls_of_ports)
    if (each.port == port) mode = each.mode;
  return mode;
}

DestinationRule read_destination_rule(const Json& spec) {
  Fields fields(spec);
  const Place whole;
  DestinationRule made;
  made.host = fields.text("host");
  made.policy = read_policy(fields);
  made.exported = read_exported(fields);
  made.subsets = fields.list("subsets", [&](const Json& from, std::size_t index) {
    Fields subset(from);
    return Subset{.where = whole.at(List::kSubsets, index),
                  .name = subset.text("name"),
                  .labels = subset.labels("labels"),
                  .policy = read_policy(subset)};
  });
  return made;
}

}  // namespace weft::api::istio
